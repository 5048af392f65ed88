//! The licence: seats per class, how long it holds, and a new file.

use axum::extract::{Extension, Multipart, State};
use axum::response::Response;
use jiff::civil::Date;
use tresen_identity::{DeviceClass, Licence, LicenceError};
use tresen_till::Language;

use super::gate::Visitor;
use super::page::{Flash, Frame, Place, draw};
use super::stations;
use super::texts::{Texts, put};
use super::views::{Fact, LicencePage, SeatView};
use super::{Office, file_of};
use crate::registry::{Licensing, Snapshot};

/// From here on the page says how many days are left.
const WARN_DAYS: i32 = 60;

/// The page.
pub(crate) async fn show(State(office): State<Office>, Extension(visitor): Extension<Visitor>) -> Response {
    let frame = visitor.frame(&office, Place::Licence);
    let snapshot = office.site.registry.snapshot();
    let seats = DeviceClass::ALL.map(|class| seat_view(frame.t, &snapshot, class)).into();
    let mut page = LicencePage {
        seats,
        title: frame.t.licence.into(),
        status: String::new(),
        status_look: "good",
        note: None,
        facts: Vec::new(),
        frame,
    };
    describe(&mut page, &snapshot.licensing, office.today());
    let server = office.site.name.to_string();
    page.facts.push(Fact { label: page.frame.t.this_box, value: server, mono: true });
    draw(&page)
}

/// Takes a file.
pub(crate) async fn upload(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
    form: Multipart,
) -> Response {
    let (t, _) = visitor.texts();
    let flash = match file_of(form).await {
        Some(bytes) => install(&office, t, &bytes).await,
        None => Flash::failed(t.licence_empty),
    };
    visitor.go(&office, "/office/licence", flash)
}

async fn install(office: &Office, t: &Texts, bytes: &[u8]) -> Flash {
    let kept = |reason: &str| Flash::failed(put(t.licence_kept, reason));
    let Ok(text) = std::str::from_utf8(bytes) else { return kept(t.licence_malformed) };
    match office.site.registry.install_licence(text, office.today()).await {
        Ok(()) => {
            let seats = office.site.registry.snapshot().licensing.seats();
            Flash::done(put(&put(t.licence_loaded, seats.mpos), seats.paypos))
        }
        Err(error) => kept(&stations::explain(t, &error)),
    }
}

/// Why a licence grants nothing, in words for the page.
pub(crate) fn explain(t: &Texts, error: &LicenceError) -> String {
    let day = |date: &Date| date.strftime("%d.%m.%Y").to_string();
    match error {
        LicenceError::Malformed(_) => t.licence_malformed.to_owned(),
        LicenceError::Signature => t.licence_signature.to_owned(),
        LicenceError::OtherSite(_) => t.licence_other_site.to_owned(),
        LicenceError::NotYet(from) => put(t.licence_not_yet, day(from)),
        LicenceError::Expired(until) => put(t.licence_expired, day(until)),
    }
}

fn describe(page: &mut LicencePage, licensing: &Licensing, today: Date) {
    let t = page.frame.t;
    match licensing {
        Licensing::Trial => {
            page.title = t.trial.into();
            page.status = t.licence_valid.into();
            page.note = Some(t.trial_hint.into());
        }
        Licensing::Void { reason } => {
            page.status = t.licence_problem.into();
            page.status_look = "late";
            page.note = Some(format!("{} {}", explain(t, reason), t.trial_hint));
        }
        Licensing::Licensed(licence) => {
            let left = (licence.valid_until - today).get_days();
            let ends_soon = left < WARN_DAYS;
            page.status = if ends_soon { days_left(t, left) } else { t.licence_valid.into() };
            page.status_look = if ends_soon { "waits" } else { "good" };
            page.facts = facts(&page.frame, licence);
        }
    }
}

/// How long a licence still runs, its last day included.
fn days_left(t: &Texts, left: i32) -> String {
    match left {
        ..=0 => t.ends_today.into(),
        1 => t.one_day_left.into(),
        _ => put(t.days_left, left),
    }
}

fn facts(frame: &Frame, licence: &Licence) -> Vec<Fact> {
    let t = frame.t;
    let day = |date: Date| match frame.language {
        Language::De => date.strftime("%d.%m.%Y").to_string(),
        Language::En => date.strftime("%-d %b %Y").to_string(),
    };
    let range = put(&put(t.valid_range, day(licence.valid_from)), day(licence.valid_until));
    let bound = if licence.site.is_some() { t.bound_here } else { t.bound_any };
    let fact = |label, value| Fact { label, value, mono: false };
    vec![fact(t.licensee, licence.licensee.clone()), fact(t.valid, range), fact(t.bound_to, bound.to_owned())]
}

/// A seat is used when a device is assigned to its station.
fn seat_view(t: &Texts, snapshot: &Snapshot, class: DeviceClass) -> SeatView {
    let of_class: Vec<_> = snapshot.seated().filter(|station| station.class == class).collect();
    let all = of_class.len();
    let used =
        of_class.iter().filter(|station| snapshot.assigned_to(station.number).next().is_some()).count();
    let hint = match class {
        DeviceClass::Mpos => t.class_mpos_hint,
        DeviceClass::Paypos => t.class_paypos_hint,
    };
    SeatView {
        class: stations::class_name(t, class),
        hint,
        used,
        all,
        free: all - used,
        of: put(t.of, all),
        used_text: put(t.seats_used, used),
        free_text: put(t.seats_free, all - used),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::office::texts::texts;

    #[test]
    fn the_last_days_of_a_licence_are_said_in_plain_words() {
        let said = |language, left| days_left(texts(language), left);
        assert_eq!(
            [0, 1, 2].map(|left| said(Language::De, left)),
            ["endet heute", "noch 1 Tag", "noch 2 Tage"]
        );
        assert_eq!(
            [0, 1, 2].map(|left| said(Language::En, left)),
            ["ends today", "1 day left", "2 days left"]
        );
    }
}
