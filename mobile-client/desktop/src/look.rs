//! What the window's screen is like, for the server.

use tresen_wire::{Language, Look, Theme, limits};
use winit::dpi::PhysicalSize;

use crate::window::Options;

/// What the screen is like.
pub fn look(size: PhysicalSize<u32>, scale: f64, theme: Theme, language: Language) -> Look {
    let (least, most) = limits::SCREEN_SIDE_PX;
    let (smallest, largest) = limits::SCALE_100;
    Look {
        width_px: size.width.clamp(least, most),
        height_px: size.height.clamp(least, most),
        scale_100: ((scale * 100.0).round() as u16).clamp(smallest, largest),
        theme,
        language,
    }
}

/// As it is wanted, else as the system is.
pub fn theme(options: &Options, system: Option<winit::window::Theme>) -> Theme {
    match (options.theme.as_deref(), system) {
        (Some("dark"), _) | (None, Some(winit::window::Theme::Dark)) => Theme::Dark,
        _ => Theme::Light,
    }
}

/// As it is wanted, else as the system is.
pub fn language(options: &Options) -> Language {
    let of = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let system = || of("LC_ALL").or_else(|| of("LC_MESSAGES")).or_else(|| of("LANG"));
    let language = options.language.clone().or_else(system).unwrap_or_default();
    if language.starts_with("de") { Language::De } else { Language::En }
}
