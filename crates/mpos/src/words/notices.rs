//! Notices and refusals as sentences: what happened, and what to do.

use tresen_till::{Language, Refusal, Till};

use super::Words;
use crate::Failure;
use crate::notice::Notice;

impl Words {
    /// A notice: what happened, and what to do.
    pub fn notice(&self, notice: &Notice, till: &Till) -> (String, Option<String>) {
        let german = self.language == Language::De;
        let say = |de: &str, en: &str| if german { de.to_owned() } else { en.to_owned() };
        let said = match notice {
            Notice::Refused(refusal) => self.refusal(refusal, till),
            Notice::TotalChanged { by, what } => return self.total_changed(by.as_deref(), what.as_deref()),
            Notice::WrongPin => self.wrong_pin.to_owned(),
            Notice::Sent { target } if german => format!("{}: gesendet", self.place(target, till)),
            Notice::Sent { target } => format!("{}: sent", self.place(target, till)),
            Notice::ClosedElsewhere => say(
                "Diese Rechnung wurde woanders abgeschlossen.",
                "This check was closed at another station.",
            ),
            Notice::NoLongerStaff => say(
                "Dein Zugang wurde entfernt. Frag die Leitung.",
                "Your access was removed. Ask your manager.",
            ),
            Notice::UnknownCode(code) if german => format!("Kein Artikel mit dem Code {code}."),
            Notice::UnknownCode(code) => format!("No product has the code {code}."),
            Notice::ScanNeedsOrder => {
                say("Erst einen Tisch öffnen, dann scannen.", "Open a table first, then scan.")
            }
            Notice::TooLittle => say("Das reicht noch nicht.", "That is not enough yet."),
            Notice::TooFast => say("Einen Moment, es wird noch gebucht.", "One moment, still booking."),
            Notice::Printing => say("Der Bon wird gedruckt.", "The receipt is being printed."),
            Notice::InputsLost => {
                let todo = say("Bitte prüfen und neu tippen.", "Please check and tap again.");
                let what = say("Nicht übernommen: die letzten Eingaben.", "Your last taps were not taken.");
                return (what, Some(todo));
            }
            Notice::Failed(reason) => {
                let todo = match reason {
                    Failure::Disk => say(
                        "Die Platte des Servers nimmt nichts mehr an. Bitte die Leitung rufen.",
                        "The server's disk takes nothing more. Please call your manager.",
                    ),
                    Failure::Busy => say(
                        "Gerade zu viel auf einmal. Bitte gleich noch einmal.",
                        "Too much at once. Please try again in a moment.",
                    ),
                    Failure::Outdated => say("Bitte neu buchen.", "Please book it again."),
                    Failure::Fault => say(
                        "Ein Fehler im System. Bitte die Leitung rufen.",
                        "A fault in the system. Please call your manager.",
                    ),
                };
                return (say("Nicht gebucht.", "Not booked."), Some(todo));
            }
        };
        (said, None)
    }

    fn total_changed(&self, by: Option<&str>, what: Option<&str>) -> (String, Option<String>) {
        let german = self.language == Language::De;
        let headline = if german { "Der Betrag ist jetzt ein anderer." } else { "The total changed." };
        let detail = match (by, what) {
            (Some(by), Some(what)) if german => Some(format!("{by} hat {what} gebucht.")),
            (Some(by), Some(what)) => Some(format!("{by} added {what}.")),
            _ => None,
        };
        (headline.into(), detail)
    }

    /// A refusal as a sentence.
    fn refusal(&self, refusal: &Refusal, till: &Till) -> String {
        let question = |id| till.catalog().modifier_group(id).map_or("", |group| group.name.as_str());
        let (de, en) = match refusal {
            Refusal::NotLoggedIn | Refusal::NoSuchStaff => ("Bitte neu anmelden.", "Please log in again."),
            Refusal::NotAllowed(_) => ("Das darf nur die Leitung.", "Only a manager may do this."),
            Refusal::NoSuchTable => ("Diesen Tisch gibt es nicht mehr.", "This table no longer exists."),
            Refusal::NoSuchProduct => {
                ("Diesen Artikel gibt es nicht mehr.", "This product no longer exists.")
            }
            Refusal::SoldOut => ("Leider aus.", "Sold out, sorry."),
            Refusal::NoSuchCheck => {
                ("Diese Rechnung ist schon abgeschlossen.", "This check is closed already.")
            }
            Refusal::NoSuchLine => ("Diese Position ist schon weg.", "This line is gone already."),
            Refusal::AlreadySent => (
                "Schon gesendet: die Position lässt sich nicht mehr ändern.",
                "Sent already: the line can't be changed.",
            ),
            Refusal::WrongModifier => (
                "Die Auswahl passt nicht mehr. Bitte neu wählen.",
                "The choice no longer fits. Please choose again.",
            ),
            Refusal::ModifierMissing(id) if self.language == Language::De => {
                return format!("{}: bitte wählen.", question(*id));
            }
            Refusal::ModifierMissing(id) => return format!("{}: please choose.", question(*id)),
            Refusal::TooManyModifiers(id) if self.language == Language::De => {
                return format!("{}: zu viel gewählt.", question(*id));
            }
            Refusal::TooManyModifiers(id) => return format!("{}: too many choices.", question(*id)),
            Refusal::QuantityOutOfRange => ("Diese Menge geht nicht.", "This quantity is not possible."),
            Refusal::CheckFull => {
                ("Die Rechnung ist voll. Bitte erst zahlen.", "The check is full. Please pay first.")
            }
            Refusal::TooManyGuests => ("So viele Gäste gehen nicht.", "Too many guests."),
            Refusal::TextOutOfRange => ("Der Text ist zu lang.", "The text is too long."),
            Refusal::AmountOutOfRange => ("Dieser Betrag geht nicht.", "This amount is not possible."),
            Refusal::NothingToSend => ("Es ist alles gesendet.", "Everything was sent already."),
            Refusal::NothingToPay => ("Es ist nichts offen.", "There is nothing to pay."),
            Refusal::TotalMoved { .. } => {
                ("Der Betrag hat sich geändert. Bitte prüfen.", "The total changed. Please check.")
            }
            Refusal::TenderTooSmall { .. } => ("Das reicht noch nicht.", "That is not enough yet."),
            Refusal::Throttled { .. } => {
                ("Zu viele falsche PINs. Bitte warten.", "Too many wrong PINs. Please wait.")
            }
            Refusal::NoSuchArea
            | Refusal::NoSuchGroup
            | Refusal::NoSuchModifierGroup
            | Refusal::NoSuchPreparation
            | Refusal::LastOwner
            | Refusal::InUse
            | Refusal::ModifierGroupInvalid
            | Refusal::ListFull
            | Refusal::ChecksOpen => ("Das geht nur im Büro.", "This is for the back office."),
        };
        if self.language == Language::De { de.into() } else { en.into() }
    }
}
