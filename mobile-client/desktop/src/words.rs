//! What the window's title says about the link.

use tresen_client::Link;
use tresen_wire::{CloseCode, Language};

/// The link in words.
pub const fn link(link: Link, language: Language) -> &'static str {
    match (link, language) {
        (Link::Direct, Language::De) => "verbunden",
        (Link::Direct, Language::En) => "connected",
        (Link::Internet, Language::De) => "direkt verbunden über das Internet",
        (Link::Internet, Language::En) => "connected directly over the internet",
        (Link::Relayed, Language::De) => "verbunden über das Relay",
        (Link::Relayed, Language::En) => "connected through the relay",
        (Link::Passed, Language::De) => "verbunden über das Relay (TLS)",
        (Link::Passed, Language::En) => "connected through the relay (TLS)",
        (Link::Slow, Language::De) => "langsame Verbindung",
        (Link::Slow, Language::En) => "slow connection",
        (Link::Away, Language::De) => "keine Verbindung, es wird weiter versucht",
        (Link::Away, Language::En) => "no connection, it keeps trying",
    }
}

/// This computer has no network.
pub const fn no_network(language: Language) -> &'static str {
    match language {
        Language::De => "kein Netz: was getippt wird, kommt danach an",
        Language::En => "no network: what you tap arrives afterwards",
    }
}

/// Why the server closed the connection for good, in words, and what to do.
pub const fn closed(code: CloseCode, language: Language) -> &'static str {
    match (code, language) {
        (CloseCode::Unauthorised, Language::De) => {
            "nicht gekoppelt: im Backoffice einen Code anzeigen lassen"
        }
        (CloseCode::Unauthorised, Language::En) => "not paired: show a code in the back office",
        (CloseCode::Revoked, Language::De) => "gesperrt: der Inhaber kann das Gerät neu koppeln",
        (CloseCode::Revoked, Language::En) => "blocked: the owner can pair it again",
        (CloseCode::Replaced, Language::De) => "woanders geöffnet: ein Klick oder eine Taste holt sie zurück",
        (CloseCode::Replaced, Language::En) => "open somewhere else: a click or a key brings it back",
        (CloseCode::Version, Language::De) => "dieses Programm ist zu alt oder zu neu für den Server",
        (CloseCode::Version, Language::En) => "this program is too old or too new for the server",
        (CloseCode::NoSeat, Language::De) => "kein Platz frei: alle Lizenzen sind belegt",
        (CloseCode::NoSeat, Language::En) => "no seat is free: all licences are in use",
        (_, Language::De) => "getrennt",
        (_, Language::En) => "closed",
    }
}

/// Too much waits for the server.
pub const fn full(language: Language) -> &'static str {
    match language {
        Language::De => "zu viele Eingaben warten",
        Language::En => "too many inputs are waiting",
    }
}
