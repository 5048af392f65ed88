//! Canaries: what a person sees and types on a handheld, and the search for it in places where it must not be.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::os::unix::fs::FileExt;

use smol_str::SmolStr;
use tresen_scene::{Action, OutlineKind, ScrollOffsets, outline};
use tresen_wire::Input;

use crate::client::Client;

/// What is typed into the handheld, letter by letter.
pub const TYPED: &str = "Kanarienvogel 7319";

/// Shorter texts may be anywhere by chance.
const SHORTEST: usize = 8;

/// Texts to be searched for.
pub struct Needles {
    texts: BTreeSet<String>,
}

/// A person works: logs in, books, searches. What was seen and typed.
pub async fn work(client: &mut Client) -> Needles {
    let mut needles = Needles { texts: BTreeSet::from([TYPED.to_owned()]) };
    client.see("Anna").await;
    needles.add(client);
    client.log_in("Anna", "1234").await;
    needles.add(client);
    client.tap("Table 4").await;
    needles.add(client);
    client.book("Cola 0,33").await;
    needles.add(client);
    client.tap("Find a product").await;
    for length in 1..=TYPED.len() {
        client.until("a field", |client| field(client).is_some()).await;
        let (action, _) = field(client).unwrap();
        client.send(Input::Text { action, text: TYPED[..length].into() });
        client.until("an answer", |client| client.receiver.unanswered() == 0).await;
    }
    client.until("what was typed", |client| field(client).is_some_and(|(_, text)| text == TYPED)).await;
    needles.add(client);
    assert!(needles.texts.len() > 20, "{:?}", needles.texts);
    needles
}

/// The text field, and what stands in it.
fn field(client: &Client) -> Option<(Action, SmolStr)> {
    let items = outline(client.receiver.root()?, &ScrollOffsets::default());
    items.into_iter().find_map(|item| match item.kind {
        OutlineKind::Field { action, value, .. } => Some((action, value)),
        OutlineKind::Touch { .. } | OutlineKind::Label => None,
    })
}

impl Needles {
    /// Of these alone.
    pub fn of(texts: &[&str]) -> Self {
        Self { texts: texts.iter().map(|text| (*text).to_owned()).collect() }
    }

    fn add(&mut self, client: &Client) {
        self.texts.extend(client.labels().into_iter().filter(|label| label.len() >= SHORTEST));
    }

    /// Those that are somewhere in there.
    pub fn found_in(&self, haystack: &[u8]) -> Vec<&str> {
        let mut by_start: HashMap<[u8; SHORTEST], Vec<&str>> = HashMap::new();
        for text in &self.texts {
            by_start.entry(*text.as_bytes().first_chunk().unwrap()).or_default().push(text);
        }
        let mut found = BTreeSet::new();
        for (at, window) in haystack.windows(SHORTEST).enumerate() {
            // Most memory is empty.
            if window[0] != 0
                && let Some(texts) = by_start.get(window)
            {
                found.extend(texts.iter().filter(|text| haystack[at..].starts_with(text.as_bytes())));
            }
        }
        found.into_iter().collect()
    }

    /// Those that are somewhere in the memory of a process: all of its pages that can be read.
    pub fn found_in_process(&self, pid: u32) -> (Vec<&str>, usize) {
        let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
        let memory = File::open(format!("/proc/{pid}/mem")).expect("the process is a child of this one");
        let (mut found, mut searched) = (BTreeSet::new(), 0);
        for line in maps.lines().filter(|line| !line.contains("[v")) {
            let (range, rest) = line.split_once(' ').unwrap();
            if !rest.starts_with('r') {
                continue;
            }
            let (from, to) = range.split_once('-').unwrap();
            let (from, to) = (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap());
            let mut region = vec![0; (to - from) as usize];
            // What is freed meanwhile can't be read any more.
            let read = memory.read_at(&mut region, from).unwrap_or(0);
            searched += read;
            found.extend(self.found_in(&region[..read]));
        }
        (found.into_iter().collect(), searched)
    }
}
