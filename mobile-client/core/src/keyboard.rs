//! Telling a wedge scanner from a person.
//!
//! A wedge scanner is a keyboard that types a code in one burst and ends it with Enter. Characters less than [`BURST_GAP_MS`] apart
//! are held back until it is clear which of the two they are: a burst of at least [`SCAN_CHARACTERS`] that ends with Enter is a scan;
//! everything else is keys, in the order in which they came. A burst that follows other keys without a pause of [`PAUSE_MS`] is no scan
//! either: it may be the rest of a code that a busy moment tore apart, and half a code is worse than none.

/// Characters of a scanner follow each other faster than this.
pub const BURST_GAP_MS: u64 = 35;

/// Before a scan nothing was typed for so long.
pub const PAUSE_MS: u64 = 150;

/// Shortest code of a scanner, in characters.
pub const SCAN_CHARACTERS: usize = 4;

/// Longest code, in characters. A longer burst is thrown away: a stuck key or a paste, not a code.
pub const LONGEST_SCAN_CHARACTERS: usize = 128;

/// A key of a hardware keyboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPress {
    /// A printable character.
    Character(char),
    /// Enter or Return.
    Enter,
    /// Escape, or the Back key of a handheld.
    Back,
    /// Backspace or Delete.
    Erase,
}

/// What the keyboard meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Typed {
    /// A key of a person.
    Key(KeyPress),
    /// A code of a scanner.
    Scan(String),
}

/// The state between two keys.
#[derive(Debug, Default)]
pub struct Keyboard {
    held: String,
    last_ms: Option<u64>,
    /// What is held began without a pause before it.
    torn: bool,
    overlong: bool,
}

impl Keyboard {
    /// A key went down.
    pub fn press(&mut self, now_ms: u64, key: KeyPress) -> Vec<Typed> {
        let mut typed = self.handle_timeout(now_ms);
        let before_ms = self.last_ms.replace(now_ms);
        if self.held.is_empty() {
            self.torn = before_ms.is_some_and(|before| now_ms.saturating_sub(before) < PAUSE_MS);
        }
        match key {
            KeyPress::Character(character) => {
                self.overlong |= self.held.chars().count() == LONGEST_SCAN_CHARACTERS;
                if !self.overlong {
                    self.held.push(character);
                }
            }
            KeyPress::Enter if self.overlong => {
                *self = Self::default();
            }
            KeyPress::Enter if !self.torn && self.held.chars().count() >= SCAN_CHARACTERS => {
                typed.push(Typed::Scan(std::mem::take(&mut self.held)));
            }
            KeyPress::Enter | KeyPress::Back | KeyPress::Erase => {
                self.release(&mut typed);
                typed.push(Typed::Key(key));
            }
        }
        typed
    }

    /// When [`Keyboard::handle_timeout`] is to be called.
    pub fn poll_timeout(&self) -> Option<u64> {
        self.last_ms.filter(|_| !self.held.is_empty()).map(|last| last + BURST_GAP_MS)
    }

    /// Time has passed: what is held back may turn out to be keys.
    pub fn handle_timeout(&mut self, now_ms: u64) -> Vec<Typed> {
        let mut typed = Vec::new();
        if self.poll_timeout().is_some_and(|at| now_ms >= at) {
            self.release(&mut typed);
        }
        typed
    }

    /// Whether characters are held back, so that an Enter now may end a scan.
    pub fn is_holding(&self) -> bool {
        !self.held.is_empty()
    }

    fn release(&mut self, typed: &mut Vec<Typed>) {
        let held = std::mem::take(self);
        self.last_ms = held.last_ms;
        if !held.overlong {
            typed.extend(held.held.chars().map(|character| Typed::Key(KeyPress::Character(character))));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[(u64, KeyPress)]) -> Vec<Typed> {
        let mut keyboard = Keyboard::default();
        let mut typed: Vec<Typed> = keys.iter().flat_map(|(at, key)| keyboard.press(*at, *key)).collect();
        typed.extend(keyboard.handle_timeout(u64::MAX));
        typed
    }

    fn burst(code: &str, gap_ms: u64) -> Vec<(u64, KeyPress)> {
        let characters = code.chars().map(KeyPress::Character).chain([KeyPress::Enter]);
        (0..).map(|place| 1_000 + place * gap_ms).zip(characters).collect()
    }

    /// Promise: a wedge scanner's code arrives whole, and is never taken for keys.
    #[test]
    fn a_fast_burst_with_enter_is_a_scan() {
        assert_eq!(typed(&burst("4006381333931", 5)), [Typed::Scan("4006381333931".into())]);
        assert_eq!(typed(&burst("4711", BURST_GAP_MS - 1)), [Typed::Scan("4711".into())]);
    }

    /// Promise: what a person types on a keyboard arrives as keys, in order.
    #[test]
    fn slow_or_short_typing_is_keys() {
        let keys = |code: &str| -> Vec<Typed> {
            code.chars().map(KeyPress::Character).chain([KeyPress::Enter]).map(Typed::Key).collect()
        };
        assert_eq!(typed(&burst("1234", BURST_GAP_MS)), keys("1234"));
        assert_eq!(typed(&burst("123", 5)), keys("123"));
        assert_eq!(typed(&burst("", 5)), keys(""));
    }

    /// Promise: half a code is never taken for a code.
    #[test]
    fn a_code_that_was_torn_apart_is_no_scan() {
        let mut keys = burst("4006381333931", 5);
        keys.iter_mut().skip(9).for_each(|(at, _)| *at += 60);
        let scans = |typed: Vec<Typed>| typed.into_iter().filter(|one| matches!(one, Typed::Scan(_))).count();
        assert_eq!(scans(typed(&keys)), 0);
        keys.extend(burst("4711", 5).into_iter().map(|(at, key)| (at + 1_000, key)));
        assert_eq!(scans(typed(&keys)), 1, "the next one is whole");
    }

    #[test]
    fn a_burst_without_enter_becomes_keys_after_a_moment() {
        let mut keyboard = Keyboard::default();
        assert_eq!(keyboard.press(10, KeyPress::Character('7')), []);
        assert_eq!(keyboard.poll_timeout(), Some(10 + BURST_GAP_MS));
        assert_eq!(keyboard.handle_timeout(10 + BURST_GAP_MS - 1), []);
        assert_eq!(keyboard.handle_timeout(10 + BURST_GAP_MS), [Typed::Key(KeyPress::Character('7'))]);
        assert_eq!(keyboard.poll_timeout(), None);
    }

    #[test]
    fn an_endless_burst_is_thrown_away() {
        assert_eq!(typed(&burst(&"x".repeat(LONGEST_SCAN_CHARACTERS + 1), 1)), []);
        assert_eq!(typed(&burst(&"x".repeat(LONGEST_SCAN_CHARACTERS), 1)).len(), 1);
    }
}
