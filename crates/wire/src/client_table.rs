//! The slots of a client, and how a frame changes them.

use std::sync::Arc;

use tresen_scene::{Color, FaceId, Glyph, Mask, Namer, Node, Op, Sprite, limits as scene_limits};

use crate::bytes::Reader;
use crate::colors::Colors;
use crate::decode::{get_glyph, get_op};
use crate::gallery::Gallery;
use crate::mask_code::get_mask;
use crate::ops::{self, Like, Seen, unknown};
use crate::photo_code::get_photo;
use crate::sprite_code::get_sprite;
use crate::{DecodeError, limits};

#[derive(Clone, Debug)]
enum Object {
    Node(Arc<Node>),
    Mask(Arc<Mask>),
    Sprite(Arc<Sprite>),
}

impl Object {
    fn bytes(&self) -> u64 {
        u64::from(match self {
            Self::Node(node) => ops::node_bytes(node.ops().len()),
            Self::Mask(mask) => ops::bitmap_bytes(mask.size().w, mask.size().h, 1),
            Self::Sprite(sprite) => ops::bitmap_bytes(sprite.size().w, sprite.size().h, 4),
        })
    }
}

#[derive(Clone, Debug, Default)]
struct Bank {
    glyphs: Vec<Option<Arc<Glyph>>>,
    cursor: usize,
}

/// What a frame may still bring.
struct Allowance {
    objects: usize,
    ops: usize,
    pixels: usize,
}

impl Allowance {
    fn object(&mut self) -> Result<(), DecodeError> {
        self.objects = self.objects.checked_sub(1).ok_or(DecodeError::TooLarge("FRAME_OBJECTS"))?;
        Ok(())
    }

    fn ops(&mut self, count: usize) -> Result<(), DecodeError> {
        self.ops = self.ops.checked_sub(count).ok_or(DecodeError::TooLarge("FRAME_OPS"))?;
        Ok(())
    }
}

/// The slots of a client.
#[derive(Clone, Debug, Default)]
pub struct ClientTable {
    objects: Vec<Option<Object>>,
    banks: Vec<Bank>,
    colors: Colors,
    cursor: usize,
    bytes: u64,
    digest: [u8; 16],
    gallery: Option<Arc<Gallery>>,
}

impl ClientTable {
    /// Nothing in any slot.
    pub fn new() -> Self {
        Self::default()
    }

    /// Shares what it unpacks with other tables.
    pub fn share(&mut self, gallery: Arc<Gallery>) {
        self.gallery = Some(gallery);
    }

    /// Empties every slot.
    pub fn clear(&mut self) {
        *self = Self { gallery: self.gallery.take(), ..Self::default() };
    }

    /// A digest of every frame since the slots were empty; all zeros when they are.
    pub const fn digest(&self) -> [u8; 16] {
        self.digest
    }

    /// Memory of what is in the slots, in bytes.
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Follows the commands of a frame. Returns the root.
    ///
    /// # Errors
    /// When they are none or do not fit; the slots are of no use then: [`ClientTable::clear`] them.
    pub fn apply(&mut self, namer: &Namer, body: &[u8]) -> Result<Arc<Node>, DecodeError> {
        let mut allowance = Allowance {
            objects: limits::FRAME_OBJECTS,
            ops: limits::FRAME_OPS,
            pixels: limits::FRAME_PIXELS,
        };
        let mut reader = Reader::new(body);
        loop {
            let first = reader.u8()?;
            if first > 15 && !matches!(first & 15, ops::NODE | ops::PATCH | ops::PUT_GLYPHS) {
                return Err(unknown("command", first));
            }
            match first & 15 {
                ops::ROOT => {
                    let root = self.root(&mut reader)?;
                    self.digest = namer.chain(&self.digest, body);
                    return Ok(root);
                }
                ops::NODE => self.get_node(&mut reader, namer, first, &mut allowance)?,
                ops::PATCH => self.get_patch(&mut reader, namer, first, &mut allowance)?,
                ops::PUT_MASK => {
                    allowance.object()?;
                    let mask = get_mask(&mut reader, namer, &mut allowance.pixels, self.gallery.as_deref())?;
                    self.put(Object::Mask(mask))?;
                }
                ops::PUT_SPRITE => {
                    allowance.object()?;
                    let sprite = get_sprite(&mut reader, namer, &mut allowance.pixels)?;
                    self.put(Object::Sprite(sprite))?;
                }
                ops::PUT_PHOTO => {
                    allowance.object()?;
                    let sprite =
                        get_photo(&mut reader, namer, &mut allowance.pixels, self.gallery.as_deref())?;
                    self.put(Object::Sprite(sprite))?;
                }
                ops::PUT_GLYPHS => self.get_glyphs(&mut reader, namer, first, &mut allowance)?,
                ops::SEEK => self.cursor = reader.count(limits::OBJECT_SLOTS - 1, "slot")?,
                ops::SEEK_GLYPH => {
                    let face = reader.u8()?;
                    self.bank(face)?.cursor = reader.count(limits::GLYPH_SLOTS - 1, "glyph slot")?;
                }
                ops::EVICT => {
                    let slot = self.slot(&mut reader)?;
                    let gone = self.objects.get_mut(slot).and_then(Option::take);
                    self.bytes -= gone.map_or(0, |object| object.bytes());
                }
                _ => return Err(unknown("command", first)),
            }
        }
    }

    /// Follows a confirmation: a frame without commands, whose root the client has already.
    pub fn confirm(&mut self, namer: &Namer) {
        self.digest = namer.chain(&self.digest, &[]);
    }

    fn root(&self, reader: &mut Reader<'_>) -> Result<Arc<Node>, DecodeError> {
        let slot = self.slot(reader)?;
        let root = self.node(slot)?;
        let check = reader.array::<2>()?;
        reader.finish()?;
        if root.id().0[..2] == check { Ok(root) } else { Err(DecodeError::Mismatch) }
    }

    fn get_node(
        &mut self,
        reader: &mut Reader<'_>,
        namer: &Namer,
        first: u8,
        allowance: &mut Allowance,
    ) -> Result<(), DecodeError> {
        let count = number(reader, first, scene_limits::NODE_OPS, "ops of a node")?;
        // An op takes at least a byte.
        if count > reader.rest().len() {
            return Err(DecodeError::Truncated);
        }
        allowance.ops(count)?;
        let mut made = Vec::with_capacity(count);
        let mut seen = Seen::nothing();
        for _ in 0..count {
            self.next_op(reader, &mut made, &mut seen)?;
        }
        self.put_node(namer, made, allowance)
    }

    fn get_patch(
        &mut self,
        reader: &mut Reader<'_>,
        namer: &Namer,
        first: u8,
        allowance: &mut Allowance,
    ) -> Result<(), DecodeError> {
        let steps = number(reader, first, scene_limits::NODE_OPS, "steps of a patch")?;
        let slot = self.slot(reader)?;
        let old = self.node(slot)?;
        let mut rest = old.ops();
        let mut made: Vec<Op> = Vec::new();
        let mut seen = Seen::nothing();
        for _ in 0..steps {
            let step = reader.at_most((scene_limits::NODE_OPS as u64) << 2 | 3, "ops of a step")?;
            let (kind, count) = (step & 3, (step >> 2) as usize);
            if kind == ops::INSERT {
                allowance.ops(count)?;
                for _ in 0..count {
                    self.next_op(reader, &mut made, &mut seen)?;
                }
                continue;
            }
            let (these, after) =
                rest.split_at_checked(count).ok_or(DecodeError::OutOfRange("ops of a step"))?;
            rest = after;
            match kind {
                ops::KEEP => {
                    allowance.ops(count)?;
                    made.extend_from_slice(these);
                }
                ops::CHANGE => {
                    allowance.ops(count)?;
                    for old in these {
                        let first = reader.u8()?;
                        if first & 15 != ops::kind(old) {
                            return Err(DecodeError::Missing("the older op"));
                        }
                        made.push(get_op(reader, self, first, Like::replaced(old))?);
                    }
                }
                _ => {}
            }
        }
        allowance.ops(rest.len())?;
        made.extend_from_slice(rest);
        self.put_node(namer, made, allowance)
    }

    fn next_op(
        &mut self,
        reader: &mut Reader<'_>,
        made: &mut Vec<Op>,
        seen: &mut Seen,
    ) -> Result<(), DecodeError> {
        let first = reader.u8()?;
        if usize::from(first & 15) >= ops::KINDS {
            return Err(unknown("op", first));
        }
        let op = get_op(reader, self, first, seen.like(made, first & 15))?;
        seen.note(made.len(), &op);
        made.push(op);
        Ok(())
    }

    fn put_node(
        &mut self,
        namer: &Namer,
        made: Vec<Op>,
        allowance: &mut Allowance,
    ) -> Result<(), DecodeError> {
        allowance.object()?;
        if made.len() > scene_limits::NODE_OPS {
            return Err(DecodeError::TooLarge("NODE_OPS"));
        }
        let node = Node::new(namer, 0, made);
        if node.depth() > scene_limits::DEPTH {
            return Err(DecodeError::TooLarge("DEPTH"));
        }
        if node.weight() > scene_limits::ROOT_WEIGHT {
            return Err(DecodeError::TooLarge("ROOT_WEIGHT"));
        }
        self.put(Object::Node(node))
    }

    fn get_glyphs(
        &mut self,
        reader: &mut Reader<'_>,
        namer: &Namer,
        first: u8,
        allowance: &mut Allowance,
    ) -> Result<(), DecodeError> {
        let count = number(reader, first, limits::GLYPH_SLOTS, "glyphs")?;
        let face = reader.u8()?;
        for _ in 0..count {
            allowance.object()?;
            let glyph = {
                let (pixels, gallery) = (&mut allowance.pixels, self.gallery.as_deref());
                get_glyph(reader, namer, FaceId(face), pixels, gallery)?
            };
            let size =
                |glyph: &Glyph| u64::from(ops::bitmap_bytes(glyph.mask().size().w, glyph.mask().size().h, 1));
            self.bytes += size(&glyph);
            let bank = self.bank(face)?;
            if bank.cursor >= limits::GLYPH_SLOTS {
                return Err(DecodeError::OutOfRange("glyph slot"));
            }
            if bank.glyphs.len() <= bank.cursor {
                bank.glyphs.resize(bank.cursor + 1, None);
            }
            let cursor = bank.cursor;
            bank.cursor += 1;
            let gone = bank.glyphs[cursor].replace(glyph);
            self.bytes -= gone.map_or(0, |glyph| size(&glyph));
            self.check_bytes()?;
        }
        Ok(())
    }

    fn put(&mut self, object: Object) -> Result<(), DecodeError> {
        if self.objects.len() <= self.cursor {
            self.objects.resize(self.cursor + 1, None);
        }
        self.bytes += object.bytes();
        let gone = self.objects[self.cursor].replace(object);
        self.bytes -= gone.map_or(0, |object| object.bytes());
        self.cursor = (self.cursor + 1) % limits::OBJECT_SLOTS;
        self.check_bytes()
    }

    const fn check_bytes(&self) -> Result<(), DecodeError> {
        if self.bytes > limits::TABLE_BYTES { Err(DecodeError::TooLarge("TABLE_BYTES")) } else { Ok(()) }
    }

    fn bank(&mut self, face: u8) -> Result<&mut Bank, DecodeError> {
        let face = usize::from(face);
        if face >= limits::FACES {
            return Err(DecodeError::OutOfRange("face"));
        }
        if self.banks.len() <= face {
            self.banks.resize(face + 1, Bank::default());
        }
        Ok(&mut self.banks[face])
    }

    /// A slot, as its distance back from the cursor.
    pub(crate) fn slot(&self, reader: &mut Reader<'_>) -> Result<usize, DecodeError> {
        let back = reader.count(limits::OBJECT_SLOTS - 1, "slot")?;
        Ok((self.cursor + limits::OBJECT_SLOTS - 1 - back) % limits::OBJECT_SLOTS)
    }

    pub(crate) fn node(&self, slot: usize) -> Result<Arc<Node>, DecodeError> {
        match self.objects.get(slot) {
            Some(Some(Object::Node(node))) => Ok(node.clone()),
            _ => Err(DecodeError::Missing("a node")),
        }
    }

    pub(crate) fn mask(&self, slot: usize) -> Result<Arc<Mask>, DecodeError> {
        match self.objects.get(slot) {
            Some(Some(Object::Mask(mask))) => Ok(mask.clone()),
            _ => Err(DecodeError::Missing("a mask")),
        }
    }

    pub(crate) fn sprite(&self, slot: usize) -> Result<Arc<Sprite>, DecodeError> {
        match self.objects.get(slot) {
            Some(Some(Object::Sprite(sprite))) => Ok(sprite.clone()),
            _ => Err(DecodeError::Missing("a sprite")),
        }
    }

    pub(crate) fn glyph(&self, face: FaceId, slot: usize) -> Result<Arc<Glyph>, DecodeError> {
        let bank = self.banks.get(usize::from(face.0));
        let glyph = bank.and_then(|bank| bank.glyphs.get(slot)).cloned().flatten();
        glyph.ok_or(DecodeError::Missing("a glyph"))
    }

    pub(crate) fn color(&mut self, reader: &mut Reader<'_>) -> Result<Color, DecodeError> {
        self.colors.get(reader)
    }
}

/// The small number of a command: four bits, or fifteen and the rest as a varint.
fn number(reader: &mut Reader<'_>, first: u8, most: usize, what: &'static str) -> Result<usize, DecodeError> {
    let number = match first >> 4 {
        15 => 15 + reader.count(most, what)?,
        small => usize::from(small),
    };
    if number <= most { Ok(number) } else { Err(DecodeError::OutOfRange(what)) }
}
