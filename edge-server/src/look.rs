//! From a client's look to the UI kit.

use std::sync::Arc;

use tresen_mpos::ui::{Kit, Scale, Theme};
use tresen_scene::Size;
use tresen_typeset::Typesetter;
use tresen_wire::{Language, Look};

/// A handheld of the usual kind, for when nobody is attached.
pub const DEFAULT: Look = Look {
    width_px: 360,
    height_px: 640,
    scale_100: 100,
    theme: tresen_wire::Theme::Light,
    language: Language::De,
};

/// The kit for a look.
#[must_use]
pub fn kit(typesetter: &Arc<Typesetter>, look: &Look) -> Kit {
    let theme = match look.theme {
        tresen_wire::Theme::Light => Theme::Light,
        tresen_wire::Theme::Dark => Theme::Dark,
    };
    Kit::new(typesetter.clone(), theme, Scale::from_hundredths(look.scale_100))
}

/// The size of its screen.
#[must_use]
pub const fn size(look: &Look) -> Size {
    Size::new(look.width_px as i32, look.height_px as i32)
}

/// The till's word for a language of the wire.
#[must_use]
pub const fn language(look: &Look) -> tresen_till::Language {
    match look.language {
        Language::De => tresen_till::Language::De,
        Language::En => tresen_till::Language::En,
    }
}
