/** How the outbox speaks to the service. Every call names the account, so that nothing goes in under another one. */
import { api, exchange, Problem, Unreachable } from "@grid/webkit/api";
import type { Receipt } from "../types";
import type { Progress, Transport } from "./sender";

const REPORT_WITHIN = 30_000;
const PIECE_WITHIN = 60_000;

const address = (report: string, photo: string) => `/api/v1/reports/${report}/photos/${encodeURIComponent(photo)}`;

/** Where an upload stands. An answer that does not say so did not come from the service. */
function progressOf(headers: Headers): Progress {
  const offset = Number(headers.get("upload-offset") ?? Number.NaN);
  if (!Number.isInteger(offset)) throw new Unreachable("no Upload-Offset in the answer");
  return { offset, complete: headers.get("upload-complete") === "?1" };
}

export const http: Transport = {
  async report(body, key, account) {
    const options = { idempotencyKey: key, timeout: REPORT_WITHIN, headers: { "Grid-Account": account } };
    const receipt = await api.post<Partial<Receipt> | undefined>("/api/v1/reports", body, options);
    if (typeof receipt?.id !== "string" || typeof receipt.receipt_no !== "string") throw new Unreachable("no receipt");
    return receipt as Receipt;
  },

  async deed(body, key, account) {
    const options = { idempotencyKey: key, timeout: REPORT_WITHIN, headers: { "Grid-Account": account } };
    const told = await api.post<{ id?: string } | undefined>("/api/v1/good-deeds", body, options);
    if (typeof told?.id !== "string") throw new Unreachable("no note in the answer");
  },

  async received(report, photo, account) {
    const options = { timeout: REPORT_WITHIN, headers: { "Grid-Account": account } };
    return progressOf((await exchange("HEAD", address(report, photo), options)).headers);
  },

  async piece(report, photo, from, bytes, account) {
    const range = `bytes ${from}-${from + bytes.byteLength - 1}/${photo.size}`;
    try {
      const answer = await exchange("PUT", address(report, photo.id), {
        bytes: { data: bytes, mime: photo.mime },
        idempotencyKey: photo.id,
        timeout: PIECE_WITHIN,
        headers: { "Grid-Account": account, "Content-Range": range },
      });
      return progressOf(answer.headers);
    } catch (error) {
      const offset = error instanceof Problem && error.code === "upload_offset" ? error.body["offset"] : null;
      if (typeof offset !== "number") throw error;
      return { offset, complete: false }; // less is there than we thought: go on from where it is
    }
  },
};
