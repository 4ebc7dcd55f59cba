/** Files end here: o32 programs without large-file support must be able to stat them. */
export const FILE_MAX = 0x7fff_ffff;
/** Names of one file. */
export const LINK_MAX = 65_000;
