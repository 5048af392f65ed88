//! The canvas, and what of it is out of date.
//!
//! Invariant: after [`Painter::paint`] the canvas shows what painting everything anew would show.

use std::cell::OnceCell;
use std::sync::Arc;

use tresen_scene::{
    Canvas, Namer, Node, Op, Point, Pressed, Rect, ScrollOffsets, Size, add_damage, covers, damage,
};
use tresen_wire::Theme;

use crate::look::ground;

#[derive(Debug)]
pub(crate) struct Painter {
    size: Size,
    /// Who paints nothing has none: it is megabytes.
    canvas: OnceCell<Canvas>,
    ground: Arc<Node>,
    shown: Option<Arc<Node>>,
    pressed: Option<Pressed>,
    overlays: Vec<Arc<Node>>,
    dirty: Vec<Rect>,
}

/// What is to be shown.
pub(crate) struct Scene<'a> {
    pub root: Option<&'a Arc<Node>>,
    pub scrolls: &'a ScrollOffsets,
    pub pressed: Option<&'a Pressed>,
    /// Drawn over everything, in the coordinates of the screen.
    pub overlays: &'a [Arc<Node>],
}

impl Painter {
    pub fn new(size: Size, theme: Theme) -> Self {
        let everything = Rect::of_size(size);
        let fill = Op::Fill { rect: everything, color: ground(theme) };
        Self {
            size,
            canvas: OnceCell::new(),
            ground: Node::new(&Namer::new([0; 32]), 0, vec![fill]),
            shown: None,
            pressed: None,
            overlays: Vec::new(),
            dirty: vec![everything],
        }
    }

    pub fn canvas(&self) -> &Canvas {
        self.canvas.get_or_init(|| Canvas::new(self.size))
    }

    /// What stands in `rect` is out of date.
    pub fn dirty(&mut self, rect: Rect) {
        let rect = rect.intersect(Rect::of_size(self.size));
        add_damage(&mut self.dirty, rect);
    }

    /// Paints what is out of date, and returns where that was.
    pub fn paint(&mut self, scene: &Scene) -> Vec<Rect> {
        self.compare(scene);
        let rects = std::mem::take(&mut self.dirty);
        if rects.is_empty() {
            return rects;
        }
        let hidden =
            |rect: &Rect| scene.root.is_some_and(|root| covers(root, Point::ZERO, *rect, scene.scrolls));
        let bare: Vec<Rect> = rects.iter().copied().filter(|rect| !hidden(rect)).collect();
        let mut canvas = self.canvas.take().unwrap_or_else(|| Canvas::new(self.size));
        canvas.paint(&self.ground, &bare, scene.scrolls, None);
        if let Some(root) = scene.root {
            canvas.paint(root, &rects, scene.scrolls, scene.pressed);
        }
        for overlay in scene.overlays {
            canvas.paint(overlay, &rects, scene.scrolls, None);
        }
        let _ = self.canvas.set(canvas);
        rects
    }

    fn compare(&mut self, scene: &Scene) {
        if let Some(root) = scene.root {
            let viewport = Rect::of_size(self.size);
            damage(self.shown.as_ref(), root, viewport, scene.scrolls)
                .into_iter()
                .for_each(|rect| self.dirty(rect));
            self.shown = Some(root.clone());
        }
        if !same_pressed(self.pressed.as_ref(), scene.pressed) {
            let both = [self.pressed.take(), scene.pressed.cloned()];
            both.iter().flatten().for_each(|pressed| self.dirty(pressed.visible));
            self.pressed = scene.pressed.cloned();
        }
        if self.overlays != scene.overlays {
            let before = std::mem::replace(&mut self.overlays, scene.overlays.to_vec());
            let changes = |one: &&Arc<Node>| !(before.contains(one) && scene.overlays.contains(one));
            let changed: Vec<Rect> =
                before.iter().chain(scene.overlays).filter(changes).map(|overlay| overlay.bounds()).collect();
            changed.into_iter().for_each(|rect| self.dirty(rect));
        }
    }
}

fn same_pressed(one: Option<&Pressed>, other: Option<&Pressed>) -> bool {
    let parts = |pressed: &Pressed| (pressed.rect, pressed.visible, pressed.look.id());
    one.map(parts) == other.map(parts)
}
