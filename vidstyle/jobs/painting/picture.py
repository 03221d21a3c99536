"""Paint one picture."""

from __future__ import annotations

from vidstyle.jobs.painting.finish import Finish
from vidstyle.jobs.painting.job import Job
from vidstyle.jobs.painting.report import FileReport
from vidstyle.jobs.painting.stages import ENCODING, PAINTING
from vidstyle.jobs.publish import published
from vidstyle.types import Picture
from vidstyle.video.bars import Bars
from vidstyle.video.images import is_see_through, read_image, write_image
from vidstyle.video.read import ReadReport


class PictureJob(Job):
    """See `Job`."""

    def _paint(self) -> FileReport:
        image = read_image(self.task.input)
        height, width = image.shape[:2]
        self._begin(Bars.of_pictures([image]), height, width)
        with self.watch.timing(PAINTING):
            painting = self._painted(image)
        self._tell(self.engine)
        if is_see_through(self.task.input):
            self._note("is see-through in places; what lies behind is painted white")
        with self.watch.timing(ENCODING):
            self._write(painting)
        return self._report((height, width), ReadReport(frames=1, expected_frames=1))

    def _painted(self, image: Picture) -> Picture:
        part = self.bars.cut(image)
        finished = Finish.of(self.config)(part, self.style.paint(part))
        return self.bars.filled(image, finished)

    def _write(self, painting: Picture) -> None:
        with published(self.task.output, overwrite=self.task.overwrite) as file:
            write_image(file, painting, self._stamp())
            if self._has_changed():
                raise self._changed()
