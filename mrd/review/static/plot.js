// Cells of a tube on two channels: drawn by WebGL, moved by mouse and keys, counted by a lasso.
"use strict";

const COLOURS = [[0.76, 0.80, 0.84], [0.40, 0.50, 0.61], [0.85, 0.28, 0.06], [0.45, 0.45, 0.45]];
const FOUND = 2, REJECTED = 3;
const EDGE = { left: 46, right: 8, top: 8, bottom: 30 };
const VERTEX = `
attribute float x, y, kind;
uniform vec2 low, high;
uniform float size;
varying float shade;
void main() {
  vec2 place = (vec2(x, y) - low) / (high - low) * 2.0 - 1.0;
  gl_Position = vec4(place, 0.0, 1.0);
  gl_PointSize = kind > 1.5 ? size * 1.9 : size;
  shade = kind;
}`;
const FRAGMENT = `
precision mediump float;
uniform vec3 colours[4];
varying float shade;
void main() {
  if (distance(gl_PointCoord, vec2(0.5)) > 0.5) discard;
  gl_FragColor = vec4(shade < 0.5 ? colours[0] : shade < 1.5 ? colours[1] : shade < 2.5 ? colours[2] : colours[3], 1.0);
}`;

class Scatter {
  constructor(figure) {
    this.figure = figure;
    this.cells = figure.querySelector("[data-layer=cells]");
    this.marks = figure.querySelector("[data-layer=marks]");
    this.told = figure.querySelector("[data-told]");
    this.lasso = null;
    this.circling = false;
    this.rejected = new Set();
  }

  async load() {
    const base = this.figure.dataset.base;
    try {
      const [info, data] = await Promise.all([fetch(base + ".json"), fetch(base + ".bin")]);
      if (!info.ok || !data.ok) throw new Error();
      this.info = await info.json();
      this.data = new Float32Array(await data.arrayBuffer());
    } catch {
      this.told.textContent = "The cells of this tube cannot be read.";
      return;
    }
    const n = this.info.n;
    this.columns = Object.fromEntries(this.info.channels.map((c, i) => [c, this.data.subarray(i * n, (i + 1) * n)]));
    this.kinds = this.data.subarray(this.info.channels.length * n, (this.info.channels.length + 1) * n);
    this.clusters = this.data.subarray((this.info.channels.length + 1) * n);
    this.shades = Float32Array.from(this.kinds);
    this.fill();
    this.size();
    this.listen();
    this.all();
    this.figure.dataset.ready = "yes";
  }

  fill() {
    for (const [axis, at] of [["x", 0], ["y", 1]]) {
      const select = this.figure.querySelector(`[data-axis=${axis}]`);
      for (const channel of this.info.channels) select.add(new Option(channel, channel));
      select.value = this.info.pairs[0][at];
      select.addEventListener("change", () => this.all());
    }
  }

  size() {
    const side = Math.round(this.marks.clientWidth || 440), ratio = window.devicePixelRatio || 1;
    this.side = side;
    for (const canvas of [this.cells, this.marks]) canvas.width = canvas.height = side * ratio;
    this.pen = this.marks.getContext("2d");
    this.pen.scale(ratio, ratio);
    this.gl = this.cells.getContext("webgl", { antialias: false, preserveDrawingBuffer: true });
    this.ratio = ratio;
    if (this.gl) this.program = compile(this.gl);
  }

  listen() {
    const button = this.figure.querySelector("[data-do=lasso]");
    button.addEventListener("click", () => {
      this.circling = !this.circling;
      button.setAttribute("aria-pressed", String(this.circling));
    });
    this.figure.querySelector("[data-do=all]").addEventListener("click", () => this.all());
    this.marks.addEventListener("pointerdown", (e) => this.begin(e));
    this.marks.addEventListener("pointermove", (e) => this.move(e));
    this.marks.addEventListener("pointerup", () => this.finish());
    this.marks.addEventListener("wheel", (e) => { e.preventDefault(); this.zoom(e.deltaY < 0 ? 0.85 : 1 / 0.85, this.place(e)); }, { passive: false });
    this.marks.addEventListener("keydown", (e) => this.key(e));
  }

  channels() {
    return ["x", "y"].map((a) => this.figure.querySelector(`[data-axis=${a}]`).value);
  }

  all() {
    const [x, y] = this.channels();
    this.low = [this.info.limits[x][0], this.info.limits[y][0]];
    this.high = [this.info.limits[x][1], this.info.limits[y][1]];
    this.lasso = null;
    this.draw();
    this.tell();
  }

  place(event) {
    const box = this.marks.getBoundingClientRect();
    return this.value((event.clientX - box.left) * this.side / box.width, (event.clientY - box.top) * this.side / box.height);
  }

  value(px, py) {
    const w = this.side - EDGE.left - EDGE.right, h = this.side - EDGE.top - EDGE.bottom;
    return [this.low[0] + (px - EDGE.left) / w * (this.high[0] - this.low[0]), this.high[1] - (py - EDGE.top) / h * (this.high[1] - this.low[1])];
  }

  pixel(x, y) {
    const w = this.side - EDGE.left - EDGE.right, h = this.side - EDGE.top - EDGE.bottom;
    return [EDGE.left + (x - this.low[0]) / (this.high[0] - this.low[0]) * w, EDGE.top + (this.high[1] - y) / (this.high[1] - this.low[1]) * h];
  }

  begin(event) {
    this.marks.setPointerCapture(event.pointerId);
    this.start = this.place(event);
    if (this.circling) this.lasso = [this.start];
  }

  move(event) {
    if (!this.start) return;
    const here = this.place(event);
    if (this.circling) this.lasso.push(here);
    else this.shift(this.start[0] - here[0], this.start[1] - here[1]);
    this.draw();
  }

  finish() {
    this.start = null;
    if (this.circling) this.tell();
  }

  shift(dx, dy) {
    this.low = [this.low[0] + dx, this.low[1] + dy];
    this.high = [this.high[0] + dx, this.high[1] + dy];
  }

  zoom(factor, at) {
    for (const i of [0, 1]) {
      this.low[i] = at[i] + (this.low[i] - at[i]) * factor;
      this.high[i] = at[i] + (this.high[i] - at[i]) * factor;
    }
    this.draw();
  }

  key(event) {
    const w = (this.high[0] - this.low[0]) / 10, h = (this.high[1] - this.low[1]) / 10;
    const middle = [(this.low[0] + this.high[0]) / 2, (this.low[1] + this.high[1]) / 2];
    const moves = { ArrowLeft: [-w, 0], ArrowRight: [w, 0], ArrowUp: [0, h], ArrowDown: [0, -h] };
    if (moves[event.key]) this.shift(...moves[event.key]);
    else if (event.key === "+" || event.key === "=") this.zoom(0.85, middle);
    else if (event.key === "-") this.zoom(1 / 0.85, middle);
    else if (event.key === "0") this.all();
    else return;
    event.preventDefault();
    this.draw();
  }

  reject(numbers) {
    this.rejected = new Set(numbers);
    for (let i = 0; i < this.shades.length; i++) {
      this.shades[i] = this.kinds[i] === FOUND && this.rejected.has(this.clusters[i]) ? REJECTED : this.kinds[i];
    }
    this.draw();
  }

  draw() {
    const [x, y] = this.channels();
    if (this.gl) this.paint(this.columns[x], this.columns[y]);
    this.pen.clearRect(0, 0, this.side, this.side);
    if (!this.gl) this.dots(this.columns[x], this.columns[y]);
    this.frame(x, y);
    this.gates(x, y);
    this.circle();
  }

  paint(xs, ys) {
    const gl = this.gl, r = this.ratio;
    const view = [EDGE.left, EDGE.bottom, this.side - EDGE.left - EDGE.right, this.side - EDGE.top - EDGE.bottom].map((v) => v * r);
    gl.viewport(...view);
    gl.enable(gl.SCISSOR_TEST);
    gl.scissor(...view);
    gl.clearColor(1, 1, 1, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    for (const [name, values] of [["x", xs], ["y", ys], ["kind", this.shades]]) feed(gl, this.program, name, values);
    gl.uniform2f(gl.getUniformLocation(this.program, "low"), ...this.low);
    gl.uniform2f(gl.getUniformLocation(this.program, "high"), ...this.high);
    gl.uniform1f(gl.getUniformLocation(this.program, "size"), 2 * r);
    gl.uniform3fv(gl.getUniformLocation(this.program, "colours"), COLOURS.flat());
    gl.drawArrays(gl.POINTS, 0, xs.length);
  }

  dots(xs, ys) {
    for (let i = 0; i < xs.length; i++) {
      const [px, py] = this.pixel(xs[i], ys[i]);
      if (px < EDGE.left || py > this.side - EDGE.bottom) continue;
      const shade = this.shades[i], side = shade > 1 ? 3.4 : 1.8;
      this.pen.fillStyle = `rgb(${COLOURS[shade].map((c) => Math.round(255 * c)).join(",")})`;
      this.pen.fillRect(px - side / 2, py - side / 2, side, side);
    }
  }

  frame(x, y) {
    const pen = this.pen, right = this.side - EDGE.right, foot = this.side - EDGE.bottom;
    pen.strokeStyle = "#75808c";
    pen.lineWidth = 1;
    pen.strokeRect(EDGE.left + 0.5, EDGE.top + 0.5, right - EDGE.left, foot - EDGE.top);
    pen.fillStyle = "#17212b";
    pen.font = "600 12px system-ui, sans-serif";
    pen.textAlign = "right";
    pen.fillText(x, right, this.side - 4);
    pen.save();
    pen.translate(11, EDGE.top);
    pen.rotate(-Math.PI / 2);
    pen.fillText(y, 0, 0);
    pen.restore();
    pen.font = "11px system-ui, sans-serif";
    this.ticks(x, 0);
    this.ticks(y, 1);
  }

  ticks(channel, axis) {
    const ticks = this.info.ticks[channel] || rounded(this.low[axis], this.high[axis]);
    ticks.at.forEach((v, i) => {
      if (v < this.low[axis] || v > this.high[axis]) return;
      const [px, py] = axis ? this.pixel(this.low[0], v) : this.pixel(v, this.low[1]);
      this.pen.textAlign = axis ? "right" : "center";
      this.pen.fillText(ticks.labels[i], axis ? px - 4 : px, axis ? py + 4 : py + 14);
    });
  }

  gates(x, y) {
    const taken = new Set();
    for (const gate of this.info.gates) {
      if (!Object.keys(gate.spans).every((c) => c === x || c === y)) continue;
      const sx = gate.spans[x] || [null, null], sy = gate.spans[y] || [null, null];
      const [l, t] = this.pixel(sx[0] ?? this.low[0], sy[1] ?? this.high[1]), [r, b] = this.pixel(sx[1] ?? this.high[0], sy[0] ?? this.low[1]);
      this.pen.save();
      this.pen.beginPath();
      this.pen.rect(EDGE.left, EDGE.top, this.side - EDGE.left - EDGE.right, this.side - EDGE.top - EDGE.bottom);
      this.pen.clip();
      this.pen.strokeStyle = "#364352";
      this.pen.strokeRect(l, t, r - l, b - t);
      this.pen.textAlign = "left";
      const left = Math.max(l, EDGE.left) + 3;
      let line = Math.max(t, EDGE.top) + 12;
      while (taken.has(`${Math.round(left)} ${Math.round(line)}`)) line += 12;
      taken.add(`${Math.round(left)} ${Math.round(line)}`);
      this.pen.fillText(gate.name, left, line);
      this.pen.restore();
    }
  }

  circle() {
    if (!this.lasso || this.lasso.length < 2) return;
    this.pen.strokeStyle = "#17212b";
    this.pen.setLineDash([5, 3]);
    this.pen.beginPath();
    for (const p of this.lasso) this.pen.lineTo(...this.pixel(...p));
    this.pen.closePath();
    this.pen.stroke();
    this.pen.setLineDash([]);
  }

  tell() {
    const { drawn, there } = this.info;
    if (!this.lasso || this.lasso.length < 3) {
      this.told.textContent = `${there.found.toLocaleString("en")} found cells among ${(there.background + there.found).toLocaleString("en")} leukocytes; ${(drawn.found + drawn.background).toLocaleString("en")} are drawn.`;
      return;
    }
    const [x, y] = this.channels().map((c) => this.columns[c]);
    let found = 0, rest = 0;
    for (let i = 0; i < x.length; i++) {
      if (!inside(this.lasso, x[i], y[i])) continue;
      if (this.kinds[i] === FOUND) found++; else rest++;
    }
    this.told.textContent = `Inside the lasso: ${found} of ${drawn.found} drawn found cells, ${rest} of ${drawn.background} other leukocytes drawn.`;
  }
}

function compile(gl) {
  const program = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  gl.useProgram(program);
  program.buffers = {};
  return program;
}

function feed(gl, program, name, values) {
  const buffer = program.buffers[name] ??= gl.createBuffer(), at = gl.getAttribLocation(program, name);
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
  gl.enableVertexAttribArray(at);
  gl.vertexAttribPointer(at, 1, gl.FLOAT, false, 0, 0);
}

function inside(ring, x, y) {
  let odd = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [xi, yi] = ring[i], [xj, yj] = ring[j];
    if ((yi > y) !== (yj > y) && x < (xj - xi) * (y - yi) / (yj - yi) + xi) odd = !odd;
  }
  return odd;
}

function rounded(low, high) {
  const step = 10 ** Math.floor(Math.log10((high - low) / 3)), at = [];
  for (let v = Math.ceil(low / step) * step; v <= high; v += step) at.push(v);
  return { at, labels: at.map((v) => String(Number(v.toPrecision(3)))) };
}

const plots = [...document.querySelectorAll(".plot")].map((figure) => new Scatter(figure));
window.mrdPlots = plots;
(async () => { for (const plot of plots) await plot.load(); })();
