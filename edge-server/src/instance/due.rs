//! When the next mark is due.
//!
//! Invariant: a mark that failed is tried again, and never before its pause is over, whoever is in a hurry: else an instance whose marks fail would do
//! nothing but try.

/// How long it is waited after a mark that failed, in ms; each further failure in a row doubles it.
pub const FIRST_PAUSE_MS: u64 = 50;

/// The longest of these pauses, in ms.
pub const LONGEST_PAUSE_MS: u64 = 10_000;

/// When the next mark is due.
#[derive(Debug, Default)]
pub struct MarkDue {
    at_ms: Option<u64>,
    failures: u32,
    not_before_ms: u64,
}

impl MarkDue {
    /// Something is to be marked, at the latest then.
    pub fn by(&mut self, at_ms: u64) {
        self.at_ms = Some(self.at_ms.map_or(at_ms, |earlier| earlier.min(at_ms)));
    }

    /// What was put off is due then, if anything was.
    pub fn hurry(&mut self, at_ms: u64) {
        self.at_ms = self.at_ms.map(|due_ms| due_ms.min(at_ms));
    }

    /// Whether there is anything to be marked.
    pub const fn is_wanted(&self) -> bool {
        self.at_ms.is_some()
    }

    /// When to mark; `None` when there is nothing to be marked.
    pub fn at_ms(&self) -> Option<u64> {
        self.at_ms.map(|due_ms| due_ms.max(self.not_before_ms))
    }

    /// A mark of everything is on its way.
    pub fn made(&mut self) {
        self.at_ms = None;
    }

    /// It is on disk.
    pub fn stored(&mut self) {
        (self.failures, self.not_before_ms) = (0, 0);
    }

    /// It failed.
    pub fn failed(&mut self, now_ms: u64) {
        let pause_ms = FIRST_PAUSE_MS.saturating_mul(1 << self.failures.min(16)).min(LONGEST_PAUSE_MS);
        self.failures = self.failures.saturating_add(1);
        self.not_before_ms = now_ms + pause_ms;
        self.by(self.not_before_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Promise: a mark that failed is tried again, later each time, and nobody's hurry makes it sooner.
    #[test]
    fn failed_marks_are_tried_again_later_each_time() {
        let mut due = MarkDue::default();
        let mut pauses = Vec::new();
        for _ in 0..40 {
            due.failed(1_000);
            due.by(0);
            due.hurry(0);
            pauses.push(due.at_ms().unwrap() - 1_000);
            due.made();
            assert_eq!(due.at_ms(), None);
        }
        assert_eq!(pauses[..4], [50, 100, 200, 400]);
        assert_eq!(pauses[39], LONGEST_PAUSE_MS);
        due.stored();
        due.by(7);
        assert_eq!(due.at_ms(), Some(7));
        due.failed(1_000);
        assert_eq!(due.at_ms(), Some(1_000 + FIRST_PAUSE_MS), "the first failure again");
    }

    /// Promise: what was put off is hurried, and nothing is due when there is nothing to be marked.
    #[test]
    fn what_was_put_off_is_hurried() {
        let mut due = MarkDue::default();
        due.hurry(5);
        assert!(!due.is_wanted());
        due.by(90);
        due.by(100);
        assert_eq!(due.at_ms(), Some(90));
        due.hurry(5);
        assert_eq!(due.at_ms(), Some(5));
    }
}
