//! Every limit of the protocol. A decoder refuses what lies beyond them.

/// Versions of the protocol that this build speaks, lowest and highest.
pub const VERSIONS: (u16, u16) = (5, 5);
/// Largest message to a server, in bytes.
pub const TO_SERVER_BYTES: usize = 4096;
/// How long a client makes the first hello from a new address, with zeros at its end: two packets, so that six may come back before the
/// address is proven.
pub const HELLO_PADDED_BYTES: usize = 2_200;
/// How much a device may have on its way to a server over QUIC, in bytes: a few times what it says in a burst, because what was lost with
/// a network counts as being on its way until the first acknowledgement from the next one.
pub const DEVICE_WINDOW_BYTES: u64 = 32 * 1024;
/// Streams that a device may have open: one, and those that it gave up while nobody could tell it that they are over.
pub const DEVICE_STREAMS: u8 = 16;
/// Largest message to a client, in bytes.
pub const TO_CLIENT_BYTES: usize = 4 << 20;
/// Longest text that a person or a scanner enters, in bytes.
pub const INPUT_TEXT_BYTES: usize = 2048;
/// Longest explanation in a goodbye, in bytes.
pub const BYE_TEXT_BYTES: usize = 512;
/// Smallest and largest side of a screen, in pixels.
pub const SCREEN_SIDE_PX: (u32, u32) = (64, 8192);
/// Smallest and largest device pixel ratio, times 100.
pub const SCALE_100: (u16, u16) = (50, 800);
/// Largest number of an input.
pub const INPUT_NUMBER: u64 = 1 << 53;
/// Inputs that a client may have sent without an acknowledgement.
pub const INPUTS_OPEN: u64 = 64;
/// Frames that a server may have sent without an acknowledgement.
pub const FRAMES_IN_FLIGHT: usize = 2;
/// Guesses that a client may offer to keep.
pub const GUESSES: u16 = 1024;
/// Largest body of a guess, in bytes.
pub const GUESS_BYTES: usize = 4096;
/// Slots for nodes, masks and sprites.
pub const OBJECT_SLOTS: usize = 1 << 14;
/// Faces, each with a bank of glyphs.
pub const FACES: usize = 32;
/// Slots in the bank of a face.
pub const GLYPH_SLOTS: usize = 1024;
/// Slots for colours.
pub const COLOR_SLOTS: usize = 127;
/// Smallest and largest memory for slots that a client may offer, in KiB.
pub const TABLE_KIB: (u32, u32) = (1024, 256 * 1024);
/// Nodes, masks, sprites and glyphs that one frame may bring.
pub const FRAME_OBJECTS: usize = 8192;
/// Ops of all nodes that one frame may bring.
pub const FRAME_OPS: usize = 1 << 18;
/// Pixels of all masks and sprites that one frame may bring.
pub const FRAME_PIXELS: usize = 1 << 23;
/// Pixels that a byte of a coded mask or sprite may stand for.
pub const PIXELS_PER_BYTE: usize = 1024;
/// Longest text of a glyph (one cluster), in bytes.
pub const GLYPH_TEXT_BYTES: usize = 64;
/// Largest advance or kerning, in 1/64 px, either sign.
pub const ADVANCE_64: i32 = 1 << 20;
/// Memory that slots may take on a client whatever it offered, in bytes: the offer, and a screen that is larger than it.
pub const TABLE_BYTES: u64 = 320 << 20;
