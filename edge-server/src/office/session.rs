//! Who is signed in at the back office.
//!
//! A session is a random token in a cookie; the server keeps only its hash. Sessions live in memory: a restart signs everybody out.
//!
//! Invariants: at most [`MAX_SESSIONS`] at a time (the one unused for longest goes), none older than [`LONGEST_MS`], none unused for
//! [`IDLE_MS`]. A session never outlives its person's right to it: that is asked anew with every request, not here.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use data_encoding::HEXLOWER;
use tresen_identity::Secret;
use tresen_till::StaffId;

use super::page::Flash;

/// Sessions at a time.
const MAX_SESSIONS: usize = 64;
/// Longest life of a session: a working day.
pub(crate) const LONGEST_MS: u64 = 12 * 60 * 60 * 1000;
/// A session that nobody uses ends after this.
const IDLE_MS: u64 = 60 * 60 * 1000;

/// All of them.
#[derive(Default)]
pub(crate) struct Sessions {
    by_name: Mutex<HashMap<[u8; 32], Session>>,
}

/// What a cookie opens.
struct Session {
    staff: StaffId,
    csrf: Secret<32>,
    began_ms: u64,
    used_ms: u64,
    flash: Option<Flash>,
}

/// A session as a request sees it.
#[derive(Clone)]
pub(crate) struct Opened {
    /// Its name, to change it later.
    pub(crate) name: [u8; 32],
    /// Who signed in.
    pub(crate) staff: StaffId,
    /// What a form has to send back.
    pub(crate) csrf: Secret<32>,
}

/// Whether a request shows that a person is there, or a page only refreshes itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// A person.
    Person,
    /// A page.
    Refresh,
}

impl Sessions {
    /// Begins a session with 64 random bytes; returns the token for the cookie.
    pub(crate) fn begin(&self, now_ms: u64, staff: StaffId, random: &[u8; 64]) -> String {
        let mut token = [0; 32];
        let mut csrf = [0; 32];
        token.copy_from_slice(&random[..32]);
        csrf.copy_from_slice(&random[32..]);
        let mut all = self.all();
        all.retain(|_, session| session.alive(now_ms));
        if all.len() >= MAX_SESSIONS {
            let oldest = all.iter().min_by_key(|(_, session)| session.used_ms).map(|(name, _)| *name);
            oldest.and_then(|name| all.remove(&name));
        }
        let session =
            Session { staff, csrf: Secret::new(csrf), began_ms: now_ms, used_ms: now_ms, flash: None };
        all.insert(name_of(&token), session);
        HEXLOWER.encode(&token)
    }

    /// The session of a cookie's token, if it is alive.
    pub(crate) fn open(&self, now_ms: u64, token: &str, by: Use) -> Option<Opened> {
        let name = name_of(&HEXLOWER.decode(token.as_bytes()).ok()?);
        let mut all = self.all();
        let session = all.get_mut(&name)?;
        if !session.alive(now_ms) {
            all.remove(&name);
            return None;
        }
        if by == Use::Person {
            session.used_ms = now_ms;
        }
        Some(Opened { name, staff: session.staff, csrf: session.csrf.clone() })
    }

    /// Ends one session.
    pub(crate) fn end(&self, name: &[u8; 32]) {
        self.all().remove(name);
    }

    /// Ends the sessions of a person, except `keep`.
    pub(crate) fn end_all_of(&self, staff: StaffId, keep: &[u8; 32]) {
        self.all().retain(|name, session| session.staff != staff || name == keep);
    }

    /// Ends all sessions of a person who is gone.
    pub(crate) fn end_every_one_of(&self, staff: StaffId) {
        self.all().retain(|_, session| session.staff != staff);
    }

    /// Leaves a message for the next page.
    pub(crate) fn leave(&self, name: &[u8; 32], flash: Flash) {
        if let Some(session) = self.all().get_mut(name) {
            session.flash = Some(flash);
        }
    }

    /// Takes the message that was left.
    pub(crate) fn take(&self, name: &[u8; 32]) -> Option<Flash> {
        self.all().get_mut(name)?.flash.take()
    }

    fn all(&self) -> MutexGuard<'_, HashMap<[u8; 32], Session>> {
        self.by_name.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn alive(&self, now_ms: u64) -> bool {
        now_ms < self.began_ms.saturating_add(LONGEST_MS) && now_ms < self.used_ms.saturating_add(IDLE_MS)
    }
}

fn name_of(token: &[u8]) -> [u8; 32] {
    *blake3::hash(token).as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLGA: StaffId = StaffId(3);
    const BEN: StaffId = StaffId(2);

    fn random(byte: u8) -> [u8; 64] {
        [byte; 64]
    }

    #[test]
    fn a_session_ends_when_unused_or_old() {
        let sessions = Sessions::default();
        let token = sessions.begin(0, OLGA, &random(1));
        assert!(sessions.open(IDLE_MS - 1, &token, Use::Refresh).is_some());
        assert!(sessions.open(IDLE_MS, &token, Use::Person).is_none(), "a refresh does not keep it alive");

        let token = sessions.begin(0, OLGA, &random(2));
        let mut now_ms = 0;
        while now_ms + IDLE_MS / 2 < LONGEST_MS {
            now_ms += IDLE_MS / 2;
            assert!(sessions.open(now_ms, &token, Use::Person).is_some());
        }
        assert!(sessions.open(LONGEST_MS, &token, Use::Person).is_none());
    }

    #[test]
    fn sessions_are_bounded_and_the_least_used_goes() {
        let sessions = Sessions::default();
        let tokens: Vec<String> =
            (0..=MAX_SESSIONS).map(|n| sessions.begin(n as u64, OLGA, &random(n as u8))).collect();
        let now_ms = MAX_SESSIONS as u64 + 1;
        assert!(sessions.open(now_ms, &tokens[0], Use::Person).is_none());
        assert!(tokens[1..].iter().all(|token| sessions.open(now_ms, token, Use::Person).is_some()));
    }

    #[test]
    fn a_changed_pin_ends_the_other_sessions_of_that_person() {
        let sessions = Sessions::default();
        let here = sessions.begin(0, OLGA, &random(1));
        let there = sessions.begin(0, OLGA, &random(2));
        let ben = sessions.begin(0, BEN, &random(3));
        let keep = sessions.open(1, &here, Use::Person).unwrap().name;
        sessions.end_all_of(OLGA, &keep);
        assert!(sessions.open(2, &here, Use::Person).is_some());
        assert!(sessions.open(2, &there, Use::Person).is_none());
        assert!(sessions.open(2, &ben, Use::Person).is_some());
    }

    #[test]
    fn no_other_token_opens() {
        let sessions = Sessions::default();
        sessions.begin(0, OLGA, &random(1));
        for token in ["", "zz", &"00".repeat(32), &"01".repeat(31)] {
            assert!(sessions.open(1, token, Use::Person).is_none());
        }
    }
}
