//! What a typesetter promises.

#![allow(clippy::unwrap_used, reason = "tests")]

use tresen_scene::{Color, Namer, Op, Point, Rect};
use tresen_typeset::{Corners, Face, Icon, Scale, TextStyle, Typesetter, Weight};

const BODY: TextStyle = TextStyle::new(Face::Inter(Weight::Regular), 15);

fn typesetter() -> std::sync::Arc<Typesetter> {
    Typesetter::new(Namer::new([1; 32]))
}

fn width(text: &str, style: TextStyle, scale: Scale) -> i32 {
    typesetter().shape(text, style, scale).width()
}

/// Promise: every build draws the same pixels; order and caches do not matter.
#[test]
fn the_same_text_has_the_same_glyphs() {
    let (one, two) = (typesetter(), typesetter());
    two.shape("etwas anderes zuerst", BODY, Scale::ONE);
    let glyphs = |typesetter: &Typesetter| {
        let Op::Text(run) =
            typesetter.shape("Rumpsteak 28,50 €", BODY, Scale::ONE).draw(Point::ZERO, Color::rgb(0))
        else {
            panic!("text draws text")
        };
        run.glyphs.iter().map(|placed| (placed.glyph.id(), placed.kern_64)).collect::<Vec<_>>()
    };
    assert_eq!(glyphs(&one), glyphs(&two));
    assert_eq!(one.icon(Icon::Delete, 24).id(), two.icon(Icon::Delete, 24).id());
}

/// Promise of the look: figures stand below one another.
#[test]
fn figures_have_one_width() {
    for face in [Face::Inter(Weight::Regular), Face::Inter(Weight::Semibold), Face::InterDisplay, Face::Mono]
    {
        let style = TextStyle::new(face, 15);
        let widths: Vec<i32> =
            ["1.111,11", "8.888,88", "7.047,17"].iter().map(|text| width(text, style, Scale::ONE)).collect();
        assert_eq!(widths, [widths[0]; 3], "{face:?}");
    }
}

/// Figures have one width, but what stands between them keeps its own.
#[test]
fn a_comma_is_narrower_than_a_figure() {
    assert!(width("1,1", BODY, Scale::ONE) < width("111", BODY, Scale::ONE));
}

/// Letters are kerned.
#[test]
fn letters_are_kerned() {
    let large = TextStyle::new(Face::Inter(Weight::Regular), 44);
    let apart = width("T", large, Scale::ONE) + width("o", large, Scale::ONE);
    assert!(width("To", large, Scale::ONE) < apart);
}

/// A label is read from the glyphs: they must spell the text, in every script.
#[test]
fn glyphs_spell_the_text() {
    for text in ["Kässpätzle 0,5 l", "Crème brûlée", "Ćevapčići ž", "Ελλάδα", "Борщ №1", "fi ffi"]
    {
        assert_eq!(typesetter().shape(text, BODY, Scale::ONE).text(), text);
    }
}

/// Size follows the scale.
#[test]
fn text_grows_with_the_scale() {
    let one = width("Rumpsteak mit Pfefferrahmsauce", BODY, Scale::ONE);
    let three = width("Rumpsteak mit Pfefferrahmsauce", BODY, Scale::from_hundredths(300));
    assert!((three - 3 * one).abs() <= 3, "{one} at 1, {three} at 3");
}

fn lines(text: &str, width: i32, lines: usize) -> Vec<String> {
    let paragraph = typesetter().wrap(text, BODY, Scale::ONE, width, lines);
    assert!(paragraph.width() <= width, "{text} in {width}");
    paragraph.lines().iter().map(|line| line.text()).collect()
}

#[test]
fn a_text_breaks_at_its_words() {
    assert_eq!(lines("Wasser still", 400, 2), ["Wasser still"]);
    assert_eq!(lines("Wasser still", 60, 2), ["Wasser", "still"]);
    assert_eq!(lines("Erste\nZweite", 400, 5), ["Erste", "Zweite"]);
    assert_eq!(lines("", 400, 2), [""]);
}

#[test]
fn what_does_not_fit_ends_in_an_ellipsis() {
    assert_eq!(lines("Rumpsteak mit Pfefferrahmsauce", 100, 1), ["Rumpsteak…"]);
    assert!(typesetter().wrap("Rumpsteak mit Sauce", BODY, Scale::ONE, 100, 1).is_cut());
    assert!(lines("Rumpsteak mit Pfefferrahmsauce", 90, 2)[1].ends_with('…'));
}

#[test]
fn a_long_word_is_hyphenated_at_a_syllable() {
    assert_eq!(lines("Schweinebraten", 96, 3), ["Schweine-", "braten"]);
    assert_eq!(lines("Apfelschorle", 70, 3), ["Apfel-", "schorle"]);
}

/// Promise: hostile text costs a bounded amount and no panic.
#[test]
fn any_text_at_any_width_is_broken() {
    let texts =
        ["a", "ä\u{301}", "\u{200b}\u{ad}", "👩‍🍳🍺", "x".repeat(5_000).leak(), "\u{202e}abc", "\0\u{7}", "ﷺ"];
    for text in texts {
        for width in [-5, 0, 1, 7, 50] {
            let paragraph = typesetter().wrap(text, BODY, Scale::ONE, width, 3);
            assert!(paragraph.lines().len() <= 3);
        }
    }
}

/// A rounded rectangle is full in the middle and empty in its corners, at any size.
#[test]
fn corners_are_round() {
    let Op::NinePatch { rect, mask, insets, .. } =
        typesetter().rounded(12, Corners::All).draw(Rect::new(3, 4, 50, 40), Color::rgb(0))
    else {
        panic!("a rounded rectangle is a nine-patch")
    };
    assert_eq!(rect, Rect::new(3, 4, 50, 40));
    let side = mask.size().w;
    assert!(insets.left + insets.right < side);
    let at = |x: i32, y: i32| mask.alpha()[(y * side + x) as usize];
    assert_eq!((at(0, 0), at(12, 12), at(12, 0), at(0, 12)), (0, 255, 255, 255));
    assert_eq!(at(3, 1), at(side - 4, side - 2), "it is symmetrical");
}
