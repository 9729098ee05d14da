/** Line icons of the eight big buttons, 24×24, by tile id. Own drawings; no icon font is loaded. */
export const TILE_ICONS: Readonly<Record<string, string>> = {
  litter: "M5 7h14M9.5 7V4.8h5V7M7 7l.9 12.5h8.2L17 7M10.3 10.5v6M13.7 10.5v6",
  road: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16ZM8 9.5h8M6.8 12h10.4M8 14.5h8",
  light: "M5 20h6M8 20V5.5A1.5 1.5 0 0 1 9.5 4H15a3 3 0 0 1 3 3v.5M15.5 7.5h5l-.8 2.5h-3.4zM18 13v1.5M15 12.3l-.8 1.2M21 12.3l.8 1.2",
  stall: "M4.5 10 6 5h12l1.5 5M4.5 10a2.5 2.5 0 0 0 5 0 2.5 2.5 0 0 0 5 0 2.5 2.5 0 0 0 5 0M6 13v6h12v-6M10 19v-3.5h4V19",
  parking: "M4.5 16.5v-4l2-5.5h11l2 5.5v4zM4.5 12.5h15M6.5 16.5v2M17.5 16.5v2M7.5 14.5h1M15.5 14.5h1",
  construction: "M4 17.5h16M5.5 17.5v-2a6.5 6.5 0 0 1 13 0v2M10 9.3V6.5h4v2.8M4 20h16",
  danger: "M12 4.5 3.5 19h17zM12 10v4.2M12 16.6v.2",
  dispute: "M4 6h10v7H8.5L6 15.5V13H4zM16.5 9.5H20v7h-2V19l-2.5-2.5H11V15",
  other: "M6 12h.2M12 12h.2M18 12h.2",
};
