//! Staff: who works here, in which role, with which PIN.

use axum::extract::{Extension, Form, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use tresen_identity::{HashCost, hash_password};
use tresen_ledger::Record;
use tresen_till::{Manage, Permission, PinHash, Role, Staff, StaffId};

use super::former::{self, Former};
use super::gate::Visitor;
use super::login::PASSWORD_KIND;
use super::page::{Flash, Place, draw, draw_with, initial};
use super::texts::{Texts, put};
use super::typed::Typed;
use super::views::{PersonPage, StaffPage, StaffRow};
use super::{Office, refusals};

/// Longest name in characters.
const NAME_CHARS: usize = 40;
/// Digits of a PIN.
const PIN_DIGITS: std::ops::RangeInclusive<usize> = 4..=6;
/// Characters of a password.
const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 8..=128;

/// Everybody.
pub(crate) async fn list(State(office): State<Office>, Extension(visitor): Extension<Visitor>) -> Response {
    let frame = visitor.frame(&office, Place::Staff);
    let till = office.site.ledger.till();
    let row = |staff: &Staff| StaffRow {
        id: staff.id.0,
        name: staff.name.to_string(),
        initial: initial(&staff.name),
        role: role_name(frame.t, staff.role),
        me: staff.id == visitor.session.staff,
    };
    let mut rows: Vec<StaffRow> = till.staff().map(row).collect();
    rows.sort_by_key(|row| row.name.to_lowercase());
    let former = former::all(&office).into_iter().map(|former| StaffRow {
        id: former.id,
        initial: initial(&former.name),
        role: role_name(frame.t, former.role),
        name: former.name,
        me: false,
    });
    let mut former: Vec<StaffRow> = former.collect();
    former.sort_by_key(|row| row.name.to_lowercase());
    draw(&StaffPage { rows, former, frame })
}

/// A form for somebody new.
pub(crate) async fn new_form(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
) -> Response {
    draw(&page_of(&office, &visitor, &Before::Nobody, &Person::default()))
}

/// A form for somebody who left and comes back.
pub(crate) async fn return_form(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<u32>,
) -> Response {
    let Some(former) = former::one(&office, StaffId(id)) else { return office.not_found(&visitor) };
    let person = Person { name: former.name.clone(), role: former.role.into(), ..Person::default() };
    draw(&page_of(&office, &visitor, &Before::Former(former), &person))
}

/// A form for somebody who is here.
pub(crate) async fn form(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<u32>,
) -> Response {
    let till = office.site.ledger.till();
    let Some(staff) = till.staff_member(StaffId(id)) else { return office.not_found(&visitor) };
    let person = Person { name: staff.name.to_string(), role: staff.role.into(), ..Person::default() };
    draw(&page_of(&office, &visitor, &Before::Here(staff.clone()), &person))
}

/// What the form says.
#[derive(Default, Deserialize)]
pub(crate) struct Person {
    name: String,
    role: RoleChoice,
    #[serde(default)]
    pin: Typed,
    #[serde(default)]
    password: Typed,
}

/// A role as the form names it.
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RoleChoice {
    #[default]
    Waiter,
    Manager,
    Owner,
}

/// Adds somebody.
pub(crate) async fn add(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
    Form(person): Form<Person>,
) -> Response {
    store(&office, &visitor, Before::Nobody, person).await
}

/// Brings somebody back who left, under the same id, with a new PIN.
pub(crate) async fn bring_back(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<u32>,
    Form(person): Form<Person>,
) -> Response {
    let Some(former) = former::one(&office, StaffId(id)) else { return office.not_found(&visitor) };
    store(&office, &visitor, Before::Former(former), person).await
}

/// Changes somebody.
pub(crate) async fn save(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<u32>,
    Form(person): Form<Person>,
) -> Response {
    let till = office.site.ledger.till();
    let Some(staff) = till.staff_member(StaffId(id)).cloned() else { return office.not_found(&visitor) };
    store(&office, &visitor, Before::Here(staff), person).await
}

/// Removes somebody; what was booked keeps the name, and the person can be brought back.
pub(crate) async fn remove(
    State(office): State<Office>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<u32>,
) -> Response {
    let till = office.site.ledger.till();
    let Some(staff) = till.staff_member(StaffId(id)) else { return office.not_found(&visitor) };
    let (t, _) = visitor.texts();
    let password = Record { kind: PASSWORD_KIND, key: staff.id.to_string(), value: None };
    let records = vec![password, former::record(staff)];
    let flash = match office.manage(&visitor, vec![Manage::RemoveStaff(staff.id)], records).await {
        Ok(()) => {
            office.sessions.end_every_one_of(staff.id);
            Flash::done(put(t.removed, &staff.name))
        }
        Err(error) => Flash::failed(refusals::of_ledger(t, &error)),
    };
    visitor.go(&office, "/office/staff", flash)
}

/// Whom a form is about.
enum Before {
    /// Somebody new.
    Nobody,
    /// Somebody who works here.
    Here(Staff),
    /// Somebody who left.
    Former(Former),
}

/// What is wrong with a form, field by field.
#[derive(Default)]
struct Wrong {
    name: Option<String>,
    pin: Option<String>,
    password: Option<String>,
}

async fn store(office: &Office, visitor: &Visitor, before: Before, person: Person) -> Response {
    let (t, _) = visitor.texts();
    let mut wrong = check(t, &before, &person);
    if wrong.none() {
        match write(office, visitor, &before, &person).await {
            Ok(id) => {
                if !person.pin.text().is_empty() || !person.password.text().is_empty() {
                    office.sessions.end_all_of(id, &visitor.session.name);
                }
                return visitor.go(office, "/office/staff", saved(t, &before, &person));
            }
            Err(reason) => wrong.name = Some(reason),
        }
    }
    let mut page = page_of(office, visitor, &before, &person);
    (page.wrong_name, page.wrong_pin, page.wrong_password) = (wrong.name, wrong.pin, wrong.password);
    draw_with(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

fn check(t: &Texts, before: &Before, person: &Person) -> Wrong {
    let rule = |broken: bool, text: &str| broken.then(|| text.to_owned());
    let pin_kept = matches!(before, Before::Here(_)) && person.pin.text().is_empty();
    let password_ok =
        person.password.text().is_empty() || PASSWORD_CHARS.contains(&person.password.text().chars().count());
    Wrong {
        name: rule(!is_name(&person.name), t.name_rule),
        pin: rule(!pin_kept && !is_pin(person.pin.text()), t.pin_rule),
        password: rule(!password_ok, t.office_password_rule),
    }
}

/// Writes the person, and the password when there is a new one; one commit.
async fn write(
    office: &Office,
    visitor: &Visitor,
    before: &Before,
    person: &Person,
) -> Result<StaffId, String> {
    let (t, _) = visitor.texts();
    let id = match before {
        Before::Nobody => office.site.ledger.till().next_staff(),
        Before::Here(staff) => staff.id,
        Before::Former(former) => StaffId(former.id),
    };
    let pin_hash = match before {
        Before::Here(staff) if person.pin.text().is_empty() => staff.pin_hash.clone(),
        _ => {
            let phc = hash(&person.pin, HashCost::PIN).await.map_err(|error| put(t.problem, error))?;
            PinHash::new(phc).with_digits(person.pin.text().len())
        }
    };
    let mut records = vec![former::gone(id)];
    let role = Role::from(person.role);
    if !role.may(Permission::ViewOffice) {
        records.push(Record { kind: PASSWORD_KIND, key: id.to_string(), value: None });
    } else if !person.password.text().is_empty() {
        let phc = hash(&person.password, HashCost::PASSWORD).await.map_err(|error| put(t.problem, error))?;
        records.push(Record { kind: PASSWORD_KIND, key: id.to_string(), value: Some(phc.into_bytes()) });
    }
    let staff = Staff { id, name: person.name.trim().into(), role, pin_hash };
    let stored = office.manage(visitor, vec![Manage::PutStaff(staff)], records).await;
    stored.map(|()| id).map_err(|error| refusals::of_ledger(t, &error).to_owned())
}

fn saved(t: &Texts, before: &Before, person: &Person) -> Flash {
    let done = match before {
        Before::Nobody => put(t.added, person.name.trim()),
        Before::Here(_) => t.saved.to_owned(),
        Before::Former(_) => put(t.brought_back, person.name.trim()),
    };
    if is_weak(person.pin.text()) {
        Flash::careful(format!("{done} {}", t.pin_weak))
    } else {
        Flash::done(done)
    }
}

/// Hashes with salt of its own, on a thread where that disturbs nobody.
pub(crate) async fn hash(secret: &Typed, cost: HashCost) -> Result<String, String> {
    let secret = secret.clone();
    let hashed = tokio::task::spawn_blocking(move || {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt).map_err(|error| error.to_string())?;
        hash_password(secret.text(), &salt, cost).map_err(|error| error.to_string())
    });
    hashed.await.map_err(|error| error.to_string())?
}

/// Whether it can be the name of a person or a place.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=NAME_CHARS).contains(&name.trim().chars().count()) && !name.chars().any(char::is_control)
}

/// Whether it has the form of a PIN.
pub(crate) fn is_pin(pin: &str) -> bool {
    PIN_DIGITS.contains(&pin.len()) && pin.bytes().all(|digit| digit.is_ascii_digit())
}

/// Whether it is one of those that are tried first: one digit, a run, a pair twice, a year of birth.
pub(crate) fn is_weak(pin: &str) -> bool {
    let digits = pin.as_bytes();
    let steps = |by: i16| digits.windows(2).all(|pair| i16::from(pair[1]) - i16::from(pair[0]) == by);
    let pair_again = digits.len() >= 4 && digits.chunks(2).all(|chunk| chunk == &digits[..2]);
    let year = digits.len() == 4 && (pin.starts_with("19") || pin.starts_with("20"));
    !digits.is_empty() && (steps(0) || steps(1) || steps(-1) || pair_again || year)
}

fn role_name(t: &Texts, role: Role) -> &'static str {
    match role {
        Role::Waiter => t.role_waiter,
        Role::Manager => t.role_manager,
        Role::Owner => t.role_owner,
    }
}

fn page_of(office: &Office, visitor: &Visitor, before: &Before, person: &Person) -> PersonPage {
    let frame = visitor.frame(office, Place::Staff);
    let (heading, action, id) = match before {
        Before::Nobody => (frame.t.add_person, "/office/staff/new".into(), None),
        Before::Here(staff) => (frame.t.edit_person, format!("/office/staff/{}", staff.id), Some(staff.id.0)),
        Before::Former(former) => {
            (frame.t.bring_back_person, format!("/office/staff/{}/return", former.id), None)
        }
    };
    let name = if let Before::Here(staff) = before { staff.name.as_str() } else { "" };
    PersonPage {
        heading,
        action,
        id,
        name: person.name.clone(),
        role: match person.role {
            RoleChoice::Waiter => "waiter",
            RoleChoice::Manager => "manager",
            RoleChoice::Owner => "owner",
        },
        wrong_name: None,
        wrong_pin: None,
        wrong_password: None,
        remove_question: put(frame.t.remove_person_question, name),
        frame,
    }
}

impl Wrong {
    fn none(&self) -> bool {
        self.name.is_none() && self.pin.is_none() && self.password.is_none()
    }
}

impl From<Role> for RoleChoice {
    fn from(role: Role) -> Self {
        match role {
            Role::Waiter => Self::Waiter,
            Role::Manager => Self::Manager,
            Role::Owner => Self::Owner,
        }
    }
}

impl From<RoleChoice> for Role {
    fn from(choice: RoleChoice) -> Self {
        match choice {
            RoleChoice::Waiter => Self::Waiter,
            RoleChoice::Manager => Self::Manager,
            RoleChoice::Owner => Self::Owner,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_has_four_to_six_digits() {
        assert!(["0000", "12345", "482916"].iter().all(|pin| is_pin(pin)));
        assert!(["", "123", "1234567", "12a4", "12 4", "١٢٣٤"].iter().all(|pin| !is_pin(pin)));
    }

    #[test]
    fn what_is_tried_first_is_weak() {
        assert!(
            ["0000", "111111", "1234", "4321", "123456", "1212", "454545", "1984"]
                .iter()
                .all(|pin| is_weak(pin))
        );
        assert!(["4829", "7391", "482916", "12021"].iter().all(|pin| !is_weak(pin)));
    }
}
