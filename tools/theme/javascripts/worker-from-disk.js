// Browsers refuse workers to pages that are opened from disk. There, search runs in a hidden frame instead.
if (location.protocol === "file:") {
  // As between a page and its worker: a copy, delivered later.
  const deliver = (target, data) => {
    const copy = structuredClone(data);
    setTimeout(() => target.dispatchEvent(new MessageEvent("message", { data: copy })));
  };
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.addEventListener("message", (event) => this.onmessage?.(event));
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.documentElement.append(this.frame);
      const inside = this.frame.contentWindow;
      inside.postMessage = (data) => deliver(this, data);
      const script = inside.document.createElement("script");
      script.src = new URL(url, document.baseURI).href;
      this.ready = new Promise((resolve, reject) => {
        script.onload = resolve;
        script.onerror = reject;
      });
      inside.document.head.append(script);
    }
    postMessage(data) {
      this.ready.then(() => deliver(this.frame.contentWindow, data));
    }
    terminate() {
      this.frame.remove();
    }
  };
}
