//! The bytes between a server and a client. This page is the protocol's specification, version 5.
//!
//! A message is one message of the transport: a binary message of a WebSocket, or on QUIC a varint length and
//! as many bytes on the one bidirectional stream that the client opens. The transport keeps order and loses
//! nothing while it lasts. A client in another network may give its stream up ([`STREAM_GIVEN_UP`]) and open
//! another, which is a new connection to everything below. Not here: who may connect (`tresen-identity`), when what is sent
//! (`tresen-session`), what a screen looks like (`tresen-scene`).
//!
//! # Numbers
//!
//! `varint`: seven bits a byte, lowest first, the top bit says that more follow; the shortest form is the
//! only one. `signed`: zig-zag (0, -1, 1, -2, ...), then a varint. `text`, `bytes`: a varint length and as
//! many bytes. Fixed numbers are little-endian.
//!
//! # To a server: first byte
//!
//! | byte | message | layout |
//! |---|---|---|
//! | 1 | hello | lowest version, highest version, slot memory in KiB (varints), look, 0 or 1: session (16), epoch (8), digest (16), first open input (varint), how many are open (byte); guesses that the client keeps (varint; may be left out: none); more bytes are left alone, so that a later version can add; zeros at the end add nothing |
//! | 2 | input | number (varint, from 1), kind, parts |
//! | 3 | frame ack | sequence (byte), how long ago it came, in ms (varint, at most 65535) |
//! | 4 | nak | |
//! | 5 | look | width, height, scale times 100 (varints), theme, language (bytes) |
//! | 6, 7 | ping, pong | number (byte) |
//! | 8 | bye | close code |
//! | 9 | guessed input | number (varint), first four bytes of the name of the root that the client showed for it, kind, parts; kinds 0, 1 and 5 only |
//!
//! Kinds of input: 0 tap (action bytes), 1 hold (action bytes), 3 text (action bytes, text), 4 scan
//! (text), 5 key (0-10 as in [`Key`], 32-41 digits, 48-71 F1-F24, 255 and a code point as varint).
//!
//! # To a client: first byte
//!
//! | byte | message | layout |
//! |---|---|---|
//! | 1 | welcome | version (varint), session (16), epoch (8), key of names (32), resumed (0 or 1), highest acknowledged input (varint), how many more have arrived (varint) |
//! | 2 | input ack | low seven bits of the number |
//! | 3 | resend | low seven bits of the highest number that has arrived |
//! | 6, 7 | ping, pong | number (byte) |
//! | 8 | bye | close code, text |
//! | 4 | fresh frame | a frame follows; the slots are emptied before it |
//! | 9 | applied | low seven bits of the highest input whose effect the frame shows; a frame follows. Comes after a 4 |
//! | 5 | guess | sequence (byte), first four bytes of the name of its base, kind and parts of an input (0, 1 and 5 only), body |
//! | 10 | pending guess | as 5: what is shown while the input is being done; its answer comes in a frame |
//! | `1ass ssss` (0x80-0xff) | frame | s: sequence modulo 64; with a: low seven bits of an input ack; then the body |
//!
//! Seven bits do: a client has at most 64 inputs open, so a number is one of them or an old one.
//!
//! A client that offers to keep no guesses gets none of 5, 9 and 10. A guess says what is shown if *this input* is made while the root with *that
//! name* is shown. It is a link of the same chain as frames: it has the next sequence, its body changes the slots and the digest in the same way,
//! and it is acknowledged, taken back and repaired as they are. Only what its root is for differs.
//!
//! A frame with an *applied* and no body is a confirmation: the root is the one that the client showed for that input. It is a frame in every
//! other respect; the digest goes on as over an empty body.
//!
//! # The body of a frame
//!
//! Commands that change the client's slots. There is one space of [`limits::OBJECT_SLOTS`] slots for nodes,
//! masks and sprites with a *cursor*, a bank of [`limits::GLYPH_SLOTS`] for the glyphs of each face with a
//! cursor each, and a ring of [`limits::COLOR_SLOTS`] colours. An object that arrives goes into the slot
//! under the cursor, which moves on by one. A slot is named by its distance back from the cursor (`slot`,
//! varint, 0: the one before); a glyph by its place in the bank. The server decides what is where; a client
//! only follows.
//!
//! First byte of a command: `nnnn cccc`, c the command, n a small number (15: 15 and a varint more).
//!
//! | c | command | layout |
//! |---|---|---|
//! | 0 | root | slot, first two bytes of the root's name; the body ends here |
//! | 1 | node | n ops |
//! | 2 | patch | slot of the old node, n steps |
//! | 3 | mask | bitmap |
//! | 4 | sprite | bitmap |
//! | 5 | glyphs | face (byte), n glyphs: text (one byte below 0x80, or 0x80 plus length and bytes), advance, bearing x, y (signed), bitmap |
//! | 6 | seek | the cursor (varint) |
//! | 7 | seek glyph | face, its cursor (varint) |
//! | 8 | evict | slot |
//! | 9 | photo | a sprite as waves: module `photo_code` |
//!
//! A patch's step is a varint `count << 2 | kind`: 0 keep, 1 change (count ops follow, each against the op it
//! replaces), 2 insert (count ops follow), 3 drop. What is left of the old node after the last step is kept.
//!
//! # Ops
//!
//! First byte `ffff kkkk`: k the kind, f flags. An op is coded by what differs from its *like*: the op that
//! it replaces in a patch; else the last op of its kind in the same command (in a patch: of the inserted
//! ones). Places are signed differences: for ops with a rectangle from that of the last op with one, for ops
//! with a point from the like, or, if there is none, from the last rectangle's corner. `+p`: part p follows
//! if its bit is set; without its bit it is that of the like, or (marked `?`) absent or default if there is
//! no like.
//!
//! | k | op | flags f | parts |
//! |---|---|---|---|
//! | 0 | fill | x, y, w, h | colour |
//! | 1 | mask | x, y, mask, colour | +slot, +colour |
//! | 2 | nine-patch | x, y, w, h | byte: +slot, +colour, +insets (4 signed) |
//! | 3 | sprite | x, y, sprite | +slot |
//! | 4 | text | x, y, colour, differs | +colour, glyphs |
//! | 5 | child | x, y, node | +slot |
//! | 6 | clip | x, y, w, h | byte: +slot, +origin from the corner (2 signed) |
//! | 7 | scroll | x, y, w, h | byte: +slot, +action, +height of the content, +offset (signed) |
//! | 8 | touch | x, y, w, h | byte: +action, +hold?, +role, +label?, +state?, +pressed?; hold, label and pressed: 0, or 1 and bytes, text, slot; state: 1 selected, 2 disabled, 4 pulled up or 8 pulled down (since version 2) |
//! | 9 | field | x, y, w, h | byte: +action, +keyboard, +label, +value |
//! | 10 | label | x, y, w, h | byte: +role, +text?: 0, or 1 and text. Role 8: no thing of its own, but an amount that others may change (since version 2). Role 9: for whom the screen is drawn (since version 4) |
//!
//! A colour is its place in the ring (byte), or 127 and red, green, blue, alpha, which take the next place.
//!
//! The glyphs of a text are, if it differs from its like: a byte of two halves, how many glyphs are kept at
//! the start (low) and at the end (high) (15: 15 and a varint more, in this order), a varint `count << 1 |
//! kerned`, count glyphs between them. Else: a varint `count << 2 | new face << 1 | kerned`, the face if it
//! is new (byte), count glyphs. Then, if kerned: how many are (varint), and for each how many glyphs lie
//! between (varint) and the kerning in 1/64 px (signed).
//!
//! # Bitmaps
//!
//! Width, height (varints), coded bytes (varint length). Masks: module `mask_code`; sprites: `sprite_code`,
//! and photos `photo_code`; all over the coder of module `range`. A coded byte stands for at most [`limits::PIXELS_PER_BYTE`] pixels;
//! an encoder appends zeros where it would stand for more.
//!
//! # Digest
//!
//! The digest of a client's slots is zero when they are empty, and after each frame the first 16 bytes of the
//! keyed BLAKE3 hash of the digest before and the body. Equal digests mean that the same frames were applied
//! since the slots were empty.

mod banks;
mod bases;
pub mod bytes;
mod client_table;
mod colors;
mod decode;
mod encode;
mod error;
mod frame_writer;
mod gallery;
mod glyph_code;
mod hello;
mod input;
pub mod limits;
mod mask_code;
mod mask_model;
mod message;
mod ops;
mod patch;
mod photo_code;
mod pool;
mod range;
mod server_table;
mod sprite_code;

pub use banks::Alphabet;
pub use client_table::ClientTable;
pub use error::{CloseCode, DecodeError};
pub use gallery::Gallery;
pub use hello::{Have, Hello, Language, Look, SessionId, Theme, Welcome};
pub use input::{Input, Key};
pub use message::{Frame, Guess, GuessKind, RootTag, SEQUENCES, ToClient, ToServer};
pub use server_table::{ServerTable, TooBig, Undo};

/// On QUIC: the code with which a client resets and stops its stream to go on upon another one of the same connection, with a hello.
pub const STREAM_GIVEN_UP: u32 = 1;
