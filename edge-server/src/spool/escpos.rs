//! ESC/POS: the bytes that receipt printers understand (Epson's command reference; most makers follow it).
//!
//! ```text
//! 1b 40          ESC @     begin: everything as after switching on
//! 1b 74 13       ESC t 19  code page 858 (Western European with the euro sign)
//! 1b 61 n        ESC a n   alignment: 0 left, 1 centre
//! 1b 45 n        ESC E n   bold: 1 on, 0 off
//! 1d 21 n        GS ! n    size: 00 normal, 01 double height
//! 0a             LF        print the line
//! 1d 56 42 n     GS V B n  feed n units beyond the cutter, cut
//! ```
//!
//! Our own writer and not the crate `escpos`: its table of code page 858 has one letter wrong, and it fails where a name holds a letter
//! that the page does not have; a receipt must come out with the nearest letter instead.

use tresen_till::receipt::{Align, PrintLine, Style};

/// The upper half of code page 858.
const CODE_PAGE_858: &str = "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈ€ÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";

/// What stands for a letter that the code page does not have.
const NEAREST: &[(char, &str)] = &[
    ('\u{2018}', "'"),
    ('\u{2019}', "'"),
    ('\u{201a}', "'"),
    ('\u{201c}', "\""),
    ('\u{201d}', "\""),
    ('\u{201e}', "\""),
    ('\u{2010}', "-"),
    ('\u{2011}', "-"),
    ('\u{2012}', "-"),
    ('\u{2013}', "-"),
    ('\u{2014}', "-"),
    ('\u{2212}', "-"),
    ('\u{2026}', "."),
    ('\u{202f}', " "),
    ('\u{2009}', " "),
    ('\u{1e9e}', "SS"),
    ('š', "s"),
    ('Š', "S"),
    ('ž', "z"),
    ('Ž', "Z"),
    ('č', "c"),
    ('Č', "C"),
    ('ć', "c"),
    ('Ć', "C"),
    ('ł', "l"),
    ('Ł', "L"),
    ('ń', "n"),
    ('ś', "s"),
    ('ş', "s"),
    ('Ş', "S"),
    ('ğ', "g"),
    ('Ğ', "G"),
    ('ı', "i"),
    ('İ', "I"),
    ('ő', "ö"),
    ('ű', "ü"),
    ('ě', "e"),
    ('ř', "r"),
    ('ů', "u"),
    ('ă', "a"),
    ('ț', "t"),
    ('ș', "s"),
    ('œ', "oe"),
    ('Œ', "OE"),
];

/// Units of paper fed beyond the cutter before the cut.
const FEED_BEFORE_CUT: u8 = 0;

/// The bytes that print `lines` and cut the paper. Strong lines (the house, the total) are twice as high; width stays, so that columns do.
pub fn encode(lines: &[PrintLine]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64 + lines.iter().map(|line| line.text.len() + 16).sum::<usize>());
    bytes.extend(b"\x1b@\x1bt\x13");
    for line in lines {
        let align = match line.align {
            Align::Left => 0,
            Align::Center => 1,
        };
        let (bold, size) = match line.style {
            Style::Normal => (0, 0x00),
            Style::Strong => (1, 0x01),
        };
        bytes.extend([0x1b, b'a', align, 0x1b, b'E', bold, 0x1d, b'!', size]);
        line.text.chars().for_each(|letter| write_letter(&mut bytes, letter));
        bytes.push(b'\n');
    }
    bytes.extend([0x1d, b'V', b'B', FEED_BEFORE_CUT]);
    bytes
}

fn write_letter(bytes: &mut Vec<u8>, letter: char) {
    match letter {
        ' '..='~' => bytes.push(letter as u8),
        _ => match (upper_half(letter), NEAREST.iter().find(|(rare, _)| *rare == letter)) {
            (Some(byte), _) => bytes.push(byte),
            (None, Some((_, nearest))) => nearest.chars().for_each(|letter| write_letter(bytes, letter)),
            (None, None) => bytes.push(b'?'),
        },
    }
}

fn upper_half(letter: char) -> Option<u8> {
    let index = CODE_PAGE_858.chars().position(|each| each == letter)?;
    u8::try_from(0x80 + index).ok()
}
