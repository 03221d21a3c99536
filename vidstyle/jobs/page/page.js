"use strict";
(() => {
  const facts = JSON.parse(document.getElementById("facts").textContent);
  const part = (name) => document.getElementById(name);
  const reel = part("reel"), stage = part("stage"), clock = part("clock"), play = part("play");
  const wipe = part("wipe"), left = part("left"), right = part("right"), view = part("view");
  const pen = stage.getContext("2d");
  const markers = [...document.querySelectorAll(".now")];

  // A blob can be sought in every browser, an address that holds the data cannot.
  const coded = atob(reel.src.slice(reel.src.indexOf(",") + 1));
  const bytes = Uint8Array.from(coded, (letter) => letter.charCodeAt(0));
  reel.src = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));

  const tile = () => [reel.videoWidth / facts.columns, reel.videoHeight / facts.rows];
  const frame = () => Math.max(0, facts.times.findLastIndex((time) => time <= reel.currentTime + 1e-3));

  function drawTile(number, from, to, at) {
    const [width, height] = tile();
    const x = (number % facts.columns) * width, y = Math.floor(number / facts.columns) * height;
    if (to > from) pen.drawImage(reel, x + from, y, to - from, height, at + from, 0, to - from, height);
  }

  function name(choice, x, align) {
    const text = choice.selectedOptions[0].text, size = Math.round(stage.height / 26);
    pen.font = "600 " + size + "px system-ui, sans-serif";
    const width = pen.measureText(text).width + size;
    pen.fillStyle = "rgb(0 0 0 / .55)";
    pen.fillRect(align === "left" ? 0 : x - width, 0, width, 1.7 * size);
    pen.fillStyle = "#fff";
    pen.textAlign = "center";
    pen.fillText(text, align === "left" ? width / 2 : x - width / 2, 1.2 * size);
  }

  function draw() {
    const [width, height] = tile(), beside = view.value === "beside";
    const across = beside ? 2 * width : width;
    if (stage.width !== across || stage.height !== height) {
      [stage.width, stage.height] = [across, height];
      stage.style.maxWidth = (75 * across) / height + "vh"; // a tall picture must fit the screen
    }
    const edge = beside ? width : Math.round((width * wipe.value) / 100);
    drawTile(+left.value, 0, edge, 0);
    drawTile(+right.value, beside ? 0 : edge, width, beside ? width : 0);
    pen.fillStyle = "#fff";
    pen.fillRect(edge - 1, 0, 2, height);
    name(left, 0, "left");
    name(right, across, "right");
    const now = facts.begin + facts.times[frame()];
    clock.textContent = now.toFixed(2) + " s";
    const share = (now - facts.span[0]) / (facts.span[1] - facts.span[0]);
    for (const marker of markers) {
      marker.hidden = false;
      marker.style.left = 100 * (facts.axis[0] + (facts.axis[1] - facts.axis[0]) * share) + "%";
    }
  }

  function show(number) {
    const last = facts.times.length - 1, wanted = Math.min(Math.max(number, 0), last);
    const end = wanted < last ? facts.times[wanted + 1] : reel.duration;
    reel.pause();
    reel.currentTime = (facts.times[wanted] + end) / 2; // the middle: no rounding leads astray
  }

  function showTime(seconds) {
    const later = facts.times.findIndex((time) => facts.begin + time > seconds + 1e-3);
    show(later < 0 ? facts.times.length - 1 : later - 1);
  }

  function run() {
    draw();
    if (!reel.paused) requestAnimationFrame(run);
  }

  play.onclick = () => (reel.paused ? reel.play() : reel.pause());
  reel.onplay = () => { play.textContent = "Pause"; run(); };
  reel.onpause = () => { play.textContent = "Play"; };
  reel.onseeked = reel.onloadeddata = draw;
  part("back").onclick = () => show(frame() - 1);
  part("on").onclick = () => show(frame() + 1);
  part("speed").onchange = (event) => { reel.playbackRate = +event.target.value; };
  for (const control of [left, right, view, wipe]) control.oninput = draw;
  stage.onpointermove = (event) => {
    if (view.value !== "wipe" || (event.pointerType !== "mouse" && !event.isPrimary)) return;
    wipe.value = (100 * event.offsetX) / stage.clientWidth;
    draw();
  };
  for (const plot of document.querySelectorAll(".plot")) {
    plot.onclick = (event) => {
      const box = plot.getBoundingClientRect(), at = (event.clientX - box.left) / box.width;
      const share = (at - facts.axis[0]) / (facts.axis[1] - facts.axis[0]);
      showTime(facts.span[0] + share * (facts.span[1] - facts.span[0]));
    };
  }
  for (const button of document.querySelectorAll(".seek")) {
    button.hidden = false;
    button.nextElementSibling.hidden = true;
    button.onclick = () => {
      right.value = button.dataset.clip;
      showTime(+button.dataset.time);
      stage.scrollIntoView({ block: "center" });
    };
  }
  document.querySelector(".player").hidden = false;
})();
