//! The outline as flat lists, which cross into scripts cheaply.

use tresen_client::{ItemKind, Outline};
use tresen_scene::Action;

use crate::keyboard_number;

const SELECTED: i32 = 1;
const DISABLED: i32 = 2;

/// See [`crate::Handheld::outline_items`].
#[derive(Default)]
pub(crate) struct FlatOutline {
    pub areas: Vec<i32>,
    pub area_actions: Vec<Action>,
    pub items: Vec<i32>,
    pub labels: Vec<String>,
    pub values: Vec<String>,
    pub actions: Vec<Option<Action>>,
}

impl FlatOutline {
    pub fn of(outline: &Outline) -> Self {
        let mut flat = Self::default();
        for area in &outline.areas {
            let rect = area.rect;
            flat.areas.extend([rect.x, rect.y, rect.w, rect.h, area.content_h, area.offset]);
            flat.area_actions.push(area.action.clone());
        }
        for item in &outline.items {
            let (kind, state, action, value) = match &item.kind {
                ItemKind::Touch { action, state } => {
                    let selected = if state.selected { SELECTED } else { 0 };
                    let disabled = if state.disabled { DISABLED } else { 0 };
                    (0, selected | disabled, Some(action.clone()), "")
                }
                ItemKind::Field { action, keyboard, value } => {
                    (1, keyboard_number(*keyboard), Some(action.clone()), value.as_str())
                }
                ItemKind::Label => (2, 0, None, ""),
            };
            let area = item.area.map_or(-1, |area| area as i32);
            let rect = item.rect;
            flat.items.extend([kind, item.role as i32, area, rect.x, rect.y, rect.w, rect.h, state]);
            flat.labels.push(item.label.clone());
            flat.values.push(value.to_owned());
            flat.actions.push(action);
        }
        flat
    }
}
