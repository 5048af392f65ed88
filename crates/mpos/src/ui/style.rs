//! From an element's wishes to taffy's style.

use taffy::prelude::*;
use taffy::{Rect, Size};

use super::element::{Align, Content, Element, Justify, Spec};
use super::layout::Extent;
use super::{Kit, MIN_TARGET};

/// The style of `element` in device pixels. `extent` says whether the height around it is given or follows the content.
pub(super) fn style(kit: &Kit, element: &Element, extent: Extent) -> Style {
    let spec = &element.spec;
    let px = |dp: i32| kit.px(dp) as f32;
    let mut style = Style {
        padding: padding(spec, px),
        gap: Size { width: length(px(spec.gap)), height: length(px(spec.line_gap.unwrap_or(spec.gap))) },
        size: Size { width: dimension(spec.width, px), height: dimension(spec.height, px) },
        min_size: Size { width: bound(spec.min_width, px), height: bound(spec.min_height, px) },
        max_size: Size { width: bound(spec.max_width, px), height: bound(spec.max_height, px) },
        align_self: spec.align_self.map(align),
        ..Style::default()
    };
    grow(&mut style, element, extent);
    flow(&mut style, element);
    if element.press.is_some() {
        style.min_size.height = length(px(spec.min_height.unwrap_or(MIN_TARGET)));
    }
    if let Some((x, y)) = spec.at {
        style.position = Position::Absolute;
        style.inset.left = length(px(x));
        style.inset.top = length(px(y));
    }
    style
}

fn grow(style: &mut Style, element: &Element, extent: Extent) {
    let spec = &element.spec;
    let scrolls = matches!(element.content, Content::Scroll { .. });
    if let Some(shares) = spec.grow {
        style.flex_grow = shares;
        // Equal shares of all the room, not of what the contents leave; where the height follows the content there is
        // no room to share.
        style.flex_basis = if scrolls && extent == Extent::Content { auto() } else { length(0.0) };
    } else if spec.width.is_some() || spec.height.is_some() {
        style.flex_shrink = 0.0;
    }
    if scrolls {
        style.min_size.height = spec_or_zero(style.min_size.height, spec);
    }
}

fn spec_or_zero(min_height: LengthPercentageAuto, spec: &Spec) -> LengthPercentageAuto {
    if spec.min_height.is_some() { min_height } else { length(0.0) }
}

fn flow(style: &mut Style, element: &Element) {
    let spec = &element.spec;
    match &element.content {
        Content::Column(_) => {
            style.flex_direction = FlexDirection::Column;
            style.align_items = align(spec.align.unwrap_or(Align::Stretch));
        }
        Content::Row(_) => {
            style.flex_direction = FlexDirection::Row;
            style.align_items = align(spec.align.unwrap_or(Align::Center));
            if spec.wraps {
                style.flex_wrap = FlexWrap::Wrap;
            }
        }
        Content::Grid { columns, .. } => {
            style.display = Display::Grid;
            style.grid_template_columns = evenly_sized_tracks(*columns);
        }
        // Children share the one cell.
        Content::Stack(_) => {
            style.display = Display::Grid;
            style.grid_template_columns = evenly_sized_tracks(1);
            style.grid_template_rows = vec![flex(1.0)];
        }
        Content::Over(_) => {
            style.size = Size { width: percent(1.0), height: percent(1.0) };
        }
        Content::Divider => {
            style.flex_shrink = 0.0;
        }
        Content::Text(_)
        | Content::Part(_)
        | Content::Composite(_)
        | Content::Apart(_)
        | Content::Scroll { .. }
        | Content::Space => {}
    }
    if let Some(justify) = spec.justify {
        style.justify_content = match justify {
            Justify::Start => JustifyContent::START,
            Justify::Center => JustifyContent::CENTER,
            Justify::End => JustifyContent::END,
            Justify::Between => JustifyContent::SPACE_BETWEEN,
        };
    }
}

/// What a parent adds to a child's style.
pub(super) fn placed_in(style: &mut Style, parent: &Element, child: &Element) {
    match &parent.content {
        Content::Stack(_) if child.spec.at.is_none() => {
            style.grid_row = line(1);
            style.grid_column = line(1);
        }
        Content::Grid { columns, .. } if child.spec.span > 1 => {
            style.grid_column = Line { start: span(child.spec.span.min(*columns)), end: auto() };
        }
        _ => {}
    }
}

const fn align(align: Align) -> AlignItems {
    match align {
        Align::Start => AlignItems::START,
        Align::Center => AlignItems::CENTER,
        Align::End => AlignItems::END,
        Align::Stretch => AlignItems::STRETCH,
        Align::Baseline => AlignItems::BASELINE,
    }
}

fn padding(spec: &Spec, px: impl Fn(i32) -> f32) -> Rect<LengthPercentage> {
    let [top, right, bottom, left] = spec.pad.map(|dp| length(px(dp)));
    Rect { left, right, top, bottom }
}

fn dimension(dp: Option<i32>, px: impl Fn(i32) -> f32) -> Dimension {
    dp.map_or(auto(), |dp| length(px(dp)))
}

fn bound(dp: Option<i32>, px: impl Fn(i32) -> f32) -> LengthPercentageAuto {
    dp.map_or(auto(), |dp| length(px(dp)))
}
