"""What a run is made of, from the plan of its inputs to the stages that paint a clip."""
