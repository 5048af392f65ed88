//! Whether the server keeps the person waiting: then a line moves. Nothing ever blocks.

/// An input that the server has not answered for so long shows that it waits.
pub const WAITING_MS: u64 = 400;

#[derive(Debug, Default)]
pub(crate) struct Waiting {
    open: usize,
    since_ms: Option<u64>,
    shown: bool,
}

impl Waiting {
    /// So many inputs are open now. Any that was answered begins the time anew.
    pub fn note(&mut self, now_ms: u64, open: usize) {
        let answered = open < self.open;
        self.open = open;
        if open == 0 {
            *self = Self::default();
        } else if answered || self.since_ms.is_none() {
            self.since_ms = Some(now_ms);
            self.shown = false;
        }
    }

    /// There is no connection: nobody answers, and another sign says so.
    pub fn stop(&mut self) {
        *self = Self::default();
    }

    /// When the line is to appear.
    pub fn poll_timeout(&self) -> Option<u64> {
        self.since_ms.filter(|_| !self.shown).map(|since| since + WAITING_MS)
    }

    /// How long the line has been there; `None`: it is not.
    pub fn line_ms(&mut self, now_ms: u64) -> Option<u64> {
        let line_ms = now_ms.checked_sub(self.since_ms? + WAITING_MS)?;
        self.shown = true;
        Some(line_ms)
    }

    pub const fn is_shown(&self) -> bool {
        self.shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_appears_late_and_goes_with_the_answer() {
        let mut waiting = Waiting::default();
        waiting.note(1_000, 1);
        waiting.note(1_300, 2);
        assert_eq!(waiting.poll_timeout(), Some(1_400));
        assert_eq!(waiting.line_ms(1_399), None);
        assert_eq!(waiting.line_ms(1_450), Some(50));
        assert!(waiting.is_shown() && waiting.poll_timeout().is_none());
        waiting.note(1_500, 1);
        assert_eq!(waiting.poll_timeout(), Some(1_900), "one was answered");
        waiting.note(1_600, 0);
        assert_eq!((waiting.poll_timeout(), waiting.line_ms(9_000)), (None, None));
    }
}
