/** Web views of other applications that show our page, by what they say of themselves. */
export type Host = "wechat" | "work" | "government";

/** 政务微信 and 企业微信 call themselves MicroMessenger too, so the narrower name comes first. */
const SIGNS: readonly [RegExp, Host][] = [
  [/wxworklocal|zwwx|govwechat/i, "government"],
  [/wxwork/i, "work"],
  [/micromessenger/i, "wechat"],
];

export function hostOf(userAgent: string): Host | null {
  return SIGNS.find(([sign]) => sign.test(userAgent))?.[1] ?? null;
}
