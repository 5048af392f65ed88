//! Breaking a text into lines.

use std::sync::Arc;

use unicode_linebreak::{BreakOpportunity, linebreaks};

use crate::Shaped;

/// A text broken into lines.
#[derive(Clone, Debug)]
pub struct Paragraph {
    lines: Vec<Arc<Shaped>>,
    tear: Tear,
}

/// What had to be done to the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tear {
    /// It was broken only where a text may be.
    None,
    /// A word is wider than the line and was hyphenated.
    Word,
    /// The end is missing.
    End,
}

impl Paragraph {
    /// Its lines.
    pub fn lines(&self) -> &[Arc<Shaped>] {
        &self.lines
    }

    /// Width of the widest line in pixels.
    pub fn width(&self) -> i32 {
        self.lines.iter().map(|line| line.width()).max().unwrap_or(0)
    }

    /// Whether the end was replaced by an ellipsis.
    pub fn is_cut(&self) -> bool {
        self.tear == Tear::End
    }

    /// Whether every word is whole and none is missing.
    pub fn is_whole(&self) -> bool {
        self.tear == Tear::None
    }
}

/// Breaks `text` so that no line is wider than `width` pixels, into at most `lines` lines; what does not fit ends in an
/// ellipsis. `measure` gives the width of a piece, `shape` shapes a finished line.
pub(crate) fn wrap(
    text: &str,
    width: i32,
    lines: usize,
    measure: &mut dyn FnMut(&str) -> i32,
    shape: &mut dyn FnMut(&str) -> Arc<Shaped>,
) -> Paragraph {
    let mut paragraph = Paragraph { lines: Vec::new(), tear: Tear::None };
    let mut rest = text;
    loop {
        let (line, next, tear) = take_line(rest, width, measure);
        let is_last = paragraph.lines.len() + 1 >= lines;
        if is_last && !next.trim().is_empty() {
            paragraph.lines.push(shape(&with_ellipsis(rest, width, measure)));
            paragraph.tear = Tear::End;
            return paragraph;
        }
        paragraph.tear = paragraph.tear.max(tear);
        paragraph.lines.push(if tear == Tear::Word { shape(&format!("{line}-")) } else { shape(line) });
        rest = next;
        if rest.is_empty() || is_last {
            return paragraph;
        }
    }
}

/// The longest beginning of `text` that fits, without the space at its end, and what follows. At least one letter.
fn take_line<'a>(
    text: &'a str,
    width: i32,
    measure: &mut dyn FnMut(&str) -> i32,
) -> (&'a str, &'a str, Tear) {
    let mut fits = None;
    for (at, opportunity) in linebreaks(text) {
        let line = text[..at].trim_end();
        if measure(line) > width {
            break;
        }
        fits = Some((line, &text[at..]));
        if opportunity == BreakOpportunity::Mandatory {
            break;
        }
    }
    if let Some((line, next)) = fits {
        return (line, next, Tear::None);
    }
    let at = longest(text, |piece| measure(&format!("{piece}-")) <= width);
    let at = syllable(text, at).unwrap_or(at);
    (&text[..at], &text[at..], if text.is_empty() { Tear::None } else { Tear::Word })
}

/// Letters that a hyphen leaves on either side.
const HYPHEN_LETTERS: usize = 3;
/// How far before the end of the line a syllable may end, in letters.
const HYPHEN_REACH: usize = 5;

/// The last end of a syllable at or before `at`: before the consonants that begin a syllable together with a vowel, which
/// is right for German and fair for English. No dictionary: a product whose name breaks badly gets a soft hyphen from its
/// owner.
fn syllable(text: &str, at: usize) -> Option<usize> {
    let word = text.split(char::is_whitespace).next().unwrap_or(text);
    let letters: Vec<(usize, char)> = word.char_indices().collect();
    let fits = letters.iter().rposition(|(start, _)| *start <= at)?;
    let last = fits.min(letters.len().checked_sub(HYPHEN_LETTERS)?);
    (last.saturating_sub(HYPHEN_REACH).max(HYPHEN_LETTERS)..=last)
        .rev()
        .map(|index| (index, letters[index].0))
        .find(|&(index, start)| {
            begins_syllable(&word[start..]) && !begins_syllable(&word[letters[index - 1].0..])
        })
        .map(|(_, start)| start)
}

/// Consonants that stay together.
const TOGETHER: [&str; 18] = [
    "sch", "ch", "ph", "th", "bl", "br", "dr", "fl", "fr", "gl", "gr", "kl", "kr", "pl", "pr", "tr", "qu",
    "pf",
];

/// Whether consonants that a syllable can begin with stand here, and a vowel after them.
fn begins_syllable(rest: &str) -> bool {
    let together =
        TOGETHER.iter().find(|together| rest.starts_with(**together)).map(|together| together.len());
    let one =
        rest.chars().next().filter(|letter| letter.is_alphabetic() && !is_vowel(*letter)).map(char::len_utf8);
    let after = together.or(one).and_then(|length| rest[length..].chars().next());
    after.is_some_and(is_vowel)
}

fn is_vowel(letter: char) -> bool {
    "aeiouyäöüáàâéèêíìîóòôúùûAEIOUYÄÖÜ".contains(letter)
}

/// `text` cut so that it fits together with an ellipsis.
fn with_ellipsis(text: &str, width: i32, measure: &mut dyn FnMut(&str) -> i32) -> String {
    let line = text.split(['\n', '\r']).next().unwrap_or(text);
    let at = longest(line, |piece| measure(&ellipsised(piece)) <= width);
    ellipsised(&line[..at])
}

fn ellipsised(piece: &str) -> String {
    format!("{}…", piece.trim_end_matches([' ', ',', '.', '-', '·']))
}

/// Where the longest beginning of `text` for which `fits` holds ends: at least after the first letter.
fn longest(text: &str, mut fits: impl FnMut(&str) -> bool) -> usize {
    let ends: Vec<usize> = text.char_indices().map(|(at, letter)| at + letter.len_utf8()).collect();
    let count = ends.partition_point(|&end| fits(&text[..end]));
    ends.get(count.saturating_sub(1)).copied().unwrap_or(0)
}
