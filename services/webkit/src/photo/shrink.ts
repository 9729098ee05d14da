/** A camera's photo made small on the device, with its mark burnt in. The shared copy keeps no camera data. */
import { newId } from "../api/ids";
import { HEAD_BYTES, readCameraNote, type CameraNote } from "./exif";
import { sha256 } from "./sha256";

/** A photo ready to be named in a report and sent. Bytes, not a Blob: old web views lose Blobs in their database. */
export interface Photo {
  id: string;
  mime: string;
  sha256: string;
  bytes: ArrayBuffer;
  width: number;
  height: number;
  /** What the camera wrote into its file; the bytes here hold it no more. */
  takenAt?: CameraNote["takenAt"];
  fix?: CameraNote["fix"];
}

/** Lines to burn in, for a photo taken at this moment (milliseconds). */
export type Mark = (taken: number) => string[];

export const LONGEST_SIDE = 1600;
/** A phone that has no memory for the first makes do with the next. */
const SIDES = [LONGEST_SIDE, 1024, 640];
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

/**
 * By the image element where it can be: it turns the picture upright, also in Safari 14, and a browser decodes it no
 * larger than it is drawn, which spares old phones a hundred megabytes.
 */
async function decode(file: Blob): Promise<Picture> {
  try {
    return await decodeByElement(file);
  } catch (error) {
    if (typeof createImageBitmap !== "function") throw error;
    return await createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => {
      throw new NotAPhoto();
    });
  }
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

function draw(picture: Picture, mark: readonly string[], side: number): HTMLCanvasElement {
  const size = fitted(
    picture instanceof HTMLImageElement ? picture.naturalWidth : picture.width,
    picture instanceof HTMLImageElement ? picture.naturalHeight : picture.height,
    side,
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

/** Time, grid, place and a work number in the lower left corner; never a person's name. */
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

/** Drawn and encoded, as large as the phone's memory allows. */
async function encoded(picture: Picture, mark: readonly string[]): Promise<{ blob: Blob; width: number; height: number }> {
  for (const side of SIDES) {
    let canvas: HTMLCanvasElement | null = null;
    try {
      canvas = draw(picture, mark, side);
      const { width, height } = canvas;
      return { blob: await encode(canvas), width, height };
    } catch (error) {
      if (side === SIDES[SIDES.length - 1]) throw error instanceof NotAPhoto ? error : new NotAPhoto();
    } finally {
      if (canvas) canvas.width = canvas.height = 0; // Safari keeps a canvas's memory until it is told
    }
  }
  throw new NotAPhoto();
}

/** Read what the camera noted, then shrink, mark and hash one chosen file. Raises `NotAPhoto`. */
export async function preparePhoto(file: Blob, mark: Mark, now = Date.now()): Promise<Photo> {
  const note = readCameraNote(await readBytes(file.slice(0, HEAD_BYTES)), now);
  const picture = await decode(file);
  try {
    const { blob, width, height } = await encoded(picture, mark(note.takenAt === null ? now : Date.parse(note.takenAt)));
    const bytes = await readBytes(blob);
    return { id: newId(), mime: "image/jpeg", sha256: await sha256(bytes), bytes, width, height, ...note };
  } finally {
    if ("close" in picture) picture.close();
  }
}
