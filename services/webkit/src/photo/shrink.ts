/** A camera's photo made small on the device, with its mark burnt in. The shared copy keeps no camera data. */
import { newId } from "../api/ids";
import { sha256 } from "./sha256";

/** A photo ready to be named in a report and sent. Bytes, not a Blob: old web views lose Blobs in their database. */
export interface Photo {
  id: string;
  mime: string;
  sha256: string;
  bytes: ArrayBuffer;
  width: number;
  height: number;
}

export const LONGEST_SIDE = 1600;
const QUALITY = 0.8;

/** The chosen file is no image that this device can read. */
export class NotAPhoto extends Error {
  override readonly name = "NotAPhoto";
}

/** Size after shrinking: never enlarged, longest side at most `limit`. */
export function fitted(width: number, height: number, limit = LONGEST_SIDE): { width: number; height: number } {
  const scale = Math.min(1, limit / Math.max(width, height, 1));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

type Picture = ImageBitmap | HTMLImageElement;

async function decode(file: Blob): Promise<Picture> {
  if (typeof createImageBitmap === "function") {
    try {
      return await createImageBitmap(file, { imageOrientation: "from-image" });
    } catch {
      // Safari 14 has the function without options or for other sources only: the image element can do it
    }
  }
  return decodeByElement(file);
}

function decodeByElement(file: Blob): Promise<HTMLImageElement> {
  const url = URL.createObjectURL(file);
  return new Promise<HTMLImageElement>((resolve, reject) => {
    const image = new Image();
    image.addEventListener("load", () => resolve(image));
    image.addEventListener("error", () => reject(new NotAPhoto()));
    image.src = url;
  }).finally(() => URL.revokeObjectURL(url));
}

function draw(picture: Picture, mark: readonly string[]): HTMLCanvasElement {
  const size = fitted(
    picture instanceof HTMLImageElement ? picture.naturalWidth : picture.width,
    picture instanceof HTMLImageElement ? picture.naturalHeight : picture.height,
  );
  const canvas = document.createElement("canvas");
  canvas.width = size.width;
  canvas.height = size.height;
  const pen = canvas.getContext("2d");
  if (!pen) throw new NotAPhoto();
  pen.fillStyle = "#fff"; // a transparent picture would turn black as JPEG
  pen.fillRect(0, 0, size.width, size.height);
  pen.drawImage(picture, 0, 0, size.width, size.height);
  burnIn(pen, size.width, size.height, mark);
  return canvas;
}

/** Time, grid and place in the lower left corner; never a person's name. */
function burnIn(pen: CanvasRenderingContext2D, width: number, height: number, mark: readonly string[]): void {
  const lines = mark.filter((line) => line !== "");
  if (lines.length === 0) return;
  const size = Math.max(14, Math.round(Math.max(width, height) / 48));
  const step = Math.round(size * 1.4);
  const margin = Math.round(size * 0.8);
  pen.font = `600 ${size}px "PingFang SC", "Noto Sans CJK SC", "Microsoft YaHei", sans-serif`;
  pen.textBaseline = "alphabetic";
  const shade = pen.createLinearGradient(0, height - step * (lines.length + 1), 0, height);
  shade.addColorStop(0, "rgba(0, 0, 0, 0)");
  shade.addColorStop(1, "rgba(0, 0, 0, 0.6)");
  pen.fillStyle = shade;
  pen.fillRect(0, height - step * (lines.length + 1), width, step * (lines.length + 1));
  pen.fillStyle = "#fff";
  lines.forEach((line, i) => {
    pen.fillText(line, margin, height - margin - step * (lines.length - 1 - i), width - 2 * margin);
  });
}

function encode(canvas: HTMLCanvasElement): Promise<Blob> {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new NotAPhoto())), "image/jpeg", QUALITY);
  });
}

function readBytes(blob: Blob): Promise<ArrayBuffer> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result as ArrayBuffer));
    reader.addEventListener("error", () => reject(new NotAPhoto()));
    reader.readAsArrayBuffer(blob);
  });
}

/** Shrink, mark and hash one chosen file. Raises `NotAPhoto`. */
export async function preparePhoto(file: Blob, mark: readonly string[]): Promise<Photo> {
  const canvas = draw(await decode(file), mark);
  const blob = await encode(canvas);
  const bytes = await readBytes(blob);
  return { id: newId(), mime: "image/jpeg", sha256: await sha256(bytes), bytes, width: canvas.width, height: canvas.height };
}
