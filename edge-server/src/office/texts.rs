//! What the back office says, in German and English.
//!
//! One list, both languages side by side: a text that is missing in one of them does not compile.

use tresen_till::Language;

macro_rules! texts {
    ($($name:ident: $german:literal, $english:literal;)*) => {
        /// Every text of the back office in one language. `{}` stands for what [`put`] fills in.
        #[derive(Debug)]
        pub(crate) struct Texts {
            $(pub(crate) $name: &'static str,)*
        }

        static GERMAN: Texts = Texts { $($name: $german,)* };
        static ENGLISH: Texts = Texts { $($name: $english,)* };
    };
}

/// The texts of `language`.
pub(crate) const fn texts(language: Language) -> &'static Texts {
    match language {
        Language::De => &GERMAN,
        Language::En => &ENGLISH,
    }
}

/// `text` with its `{}` replaced by `value`.
pub(crate) fn put(text: &str, value: impl std::fmt::Display) -> String {
    text.replacen("{}", &value.to_string(), 1)
}

texts! {
    // The frame.
    office: "Backoffice", "Back office";
    skip: "Zum Inhalt springen", "Skip to content";
    menu: "Bereiche", "Sections";
    overview: "Übersicht", "Overview";
    stations: "Stationen", "Stations";
    devices: "Geräte", "Devices";
    network: "Netz", "Network";
    licence: "Lizenz", "Licence";
    staff: "Personal", "Staff";
    sign_out: "Abmelden", "Sign out";
    language: "Sprache", "Language";
    save: "Speichern", "Save";
    cancel: "Abbrechen", "Cancel";
    edit: "Bearbeiten", "Edit";
    saved: "Gespeichert.", "Saved.";
    not_found: "Diese Seite gibt es nicht", "This page does not exist";
    not_found_hint: "Der Link ist veraltet, oder der Eintrag wurde entfernt.", "The link is out of date, or the entry was removed.";
    to_overview: "Zur Übersicht", "Go to the overview";
    refused: "Abgelehnt", "Refused";
    refused_hint: "Diese Anfrage kam nicht von einer Seite des Backoffice, oder die Seite war zu alt. Laden Sie die Seite neu und versuchen Sie es noch einmal.",
        "This request did not come from a page of the back office, or the page was too old. Reload the page and try again.";
    only_owners: "Das dürfen nur Inhaber ändern.", "Only owners may change this.";
    ledger_disk: "Nicht gespeichert: Die Platte nimmt nichts mehr an. Schaffen Sie Platz oder tauschen Sie sie, und starten Sie dann neu. Was bestätigt war, ist sicher.",
        "Not saved: the disk takes nothing more. Make room or change it, then start again. What was confirmed is safe.";
    ledger_busy: "Nicht gespeichert: gerade zu viel auf einmal. Versuchen Sie es gleich noch einmal.",
        "Not saved: too much at once. Try again in a moment.";
    ledger_fault: "Nicht gespeichert: ein Fehler in Tresen. Das Protokoll des Servers nennt die Einzelheiten.",
        "Not saved: a fault in Tresen. The server's log has the details.";
    lost_since: "Verbindung verloren seit {}. Was Sie hier sehen, kann veraltet sein.",
        "Connection lost since {}. What you see here may be out of date.";

    // Refusals.
    sign_in_again: "Bitte melden Sie sich neu an.", "Please sign in again.";
    at_the_handheld: "Das geht nur am Handgerät.", "This is done at a handheld.";
    amount_rule: "Dieser Betrag geht nicht.", "This amount is not possible.";
    throttled_now: "Zu viele falsche PINs. Bitte warten Sie etwas.", "Too many wrong PINs. Please wait a little.";
    in_use: "Das wird noch verwendet.", "It is still in use.";
    modifier_rule: "Die Angaben zur Auswahl widersprechen sich oder einer anderen Auswahl.",
        "The modifier group contradicts itself or another one.";
    list_full: "Die Liste ist voll. Entfernen Sie zuerst einen Eintrag.", "The list is full. Remove an entry first.";
    checks_open: "Erst müssen alle offenen Rechnungen bezahlt sein.", "Open checks must be paid first.";
    too_many_devices: "Mehr Geräte gehen nicht. Entfernen Sie zuerst eines.", "There are as many devices as there can be. Remove one first.";
    problem: "Das ging nicht: {}", "That did not work: {}";

    // Signing in.
    sign_in: "Anmelden", "Sign in";
    sign_in_lead: "Für Inhaber und Leitung. Die PIN ist dieselbe wie am Handgerät.", "For owners and managers. The PIN is the same as on the handheld.";
    name: "Name", "Name";
    pin: "PIN", "PIN";
    pin_or_password: "PIN oder Kennwort", "PIN or password";
    wrong_pin: "Name oder PIN stimmt nicht.", "The name or the PIN is wrong.";
    throttled: "Zu viele Versuche. Bitte warten Sie noch {}.", "Too many tries. Please wait another {}.";
    setup: "Willkommen", "Welcome";
    setup_lead: "Diese Box hat noch keinen Inhaber. Wie heißt Ihr Betrieb, und wer sind Sie?", "This box has no owner yet. What is your place called, and who are you?";
    setup_elsewhere: "Diese Box hat noch keinen Inhaber. Öffnen Sie diese Seite auf der Box selbst, um sie einzurichten.", "This box has no owner yet. Open this page on the box itself to set it up.";
    site_name: "Name des Betriebs", "Name of the place";
    your_name: "Ihr Name", "Your name";
    begin: "Loslegen", "Begin";
    signed_out: "Sie sind abgemeldet.", "You are signed out.";
    seconds: "{} s", "{} s";
    minutes: "{} min", "{} min";

    // The overview.
    figure_running: "Instanzen laufen", "Instances running";
    figure_attached: "Geräte verbunden", "Devices connected";
    figure_open: "Offene Rechnungen", "Open checks";
    figure_today: "Umsatz heute", "Sales today";
    of: "von {}", "of {}";
    instances: "Instanzen", "Instances";
    instances_hint: "Alle Handgeräte und Terminals, live.", "All handhelds and terminals, live.";
    no_instance: "Keine Instanz", "No instance";
    no_instance_hint: "Ohne Lizenzplätze läuft kein Handgerät. Spielen Sie eine Lizenz ein.", "Without licensed seats no handheld runs. Upload a licence.";
    nobody: "niemand", "nobody";
    no_device: "Kein Gerät", "No device";
    logged_in: "Angemeldet", "Logged in";
    device: "Gerät", "Device";
    connection: "Verbindung", "Connection";
    running: "läuft", "running";
    restarting: "startet neu", "restarting";
    stopped: "angehalten", "stopped";
    restarts_one: "1 Neustart", "1 restart";
    restarts_many: "{} Neustarts", "{} restarts";
    link_direct: "direkt", "direct";
    link_slow: "langsam", "slow";
    link_away: "getrennt", "away";
    never_shown: "Noch nichts gezeigt", "Nothing shown yet";
    screen_of: "Bildschirm von {}", "Screen of {}";

    // Stations.
    stations_hint: "Ein Kassenplatz mit Nummer und Namen. Geräte werden ihm zugeordnet.", "A till position with a number and a name. Devices are assigned to it.";
    number: "Nummer", "Number";
    class: "Klasse", "Class";
    station: "Station", "Station";
    class_mpos: "Handgerät", "Handheld";
    class_paypos: "Zahlterminal", "Payment terminal";
    class_mpos_hint: "Handheld, Tablet, Browser oder PC", "Handheld, tablet, browser or PC";
    class_paypos_hint: "Kartenterminal mit eigenem Bildschirm", "Card terminal with its own screen";
    rename_station: "Station umbenennen", "Rename station";
    station_name_hint: "So heißt die Station auf dem Handgerät und auf Bons, zum Beispiel „Theke“.", "What the handheld and receipts call it, for example “Bar”.";
    no_devices_here: "keine", "none";
    no_station: "Keine Stationen", "No stations";

    // Devices.
    devices_hint: "Jedes Gerät hat seinen eigenen Schlüssel. Gesperrte Geräte verlieren ihre Sitzung sofort.", "Each device has its own key. A revoked device loses its session at once.";
    pair: "Gerät koppeln", "Pair a device";
    no_devices: "Noch kein Gerät gekoppelt", "No device paired yet";
    no_devices_hint: "Koppeln Sie ein Handgerät, indem es einen Code vom Bildschirm liest.", "Pair a handheld by letting it read a code from this screen.";
    fingerprint: "Schlüssel", "Key";
    paired_at: "Gekoppelt", "Paired";
    last_seen: "Zuletzt gesehen", "Last seen";
    online: "verbunden", "connected";
    offline: "nicht verbunden", "not connected";
    unassigned: "nicht zugeordnet", "not assigned";
    unassigned_choice: "Keiner Station zuordnen", "Assign to no station";
    revoke: "Sperren", "Revoke";
    revoke_question: "„{}“ sperren?", "Revoke “{}”?";
    revoke_hint: "Das Gerät verliert seine Sitzung sofort und muss neu gekoppelt werden. Gebuchtes bleibt erhalten.", "The device loses its session at once and has to be paired again. Nothing that was booked is lost.";
    revoked: "„{}“ ist gesperrt.", "“{}” is revoked.";
    edit_device: "Gerät bearbeiten", "Edit device";
    device_name: "Name des Geräts", "Name of the device";
    device_name_hint: "Zum Beispiel „Handgerät 3“ oder „Tablet Terrasse“.", "For example “Handheld 3” or “Terrace tablet”.";
    other_class: "Gerät und Station haben verschiedene Klassen.", "The device and the station are of different classes.";
    station_taken: "{}, zugeordnet", "{}, taken";

    // The network.
    network_hint: "Wie gut die Verbindung zu jedem Gerät ist, in der letzten Stunde.", "How good the link to each device is, over the last hour.";
    network_empty: "Noch kein Gerät verbunden", "No device connected yet";
    network_empty_hint: "Sobald ein Gerät verbunden ist, steht hier, wie gut seine Verbindung ist.", "As soon as a device is connected, this page tells how good its link is.";
    network_alarms: "Schlechte Verbindungen", "Poor links";
    network_links: "Verbindungen", "Links";
    network_more: "Und {} weitere Geräte; die mit schlechten Verbindungen stehen oben.", "And {} more devices; those with poor links come first.";
    network_silent_one: "1 gekoppeltes Gerät war in der letzten Stunde nicht verbunden.", "1 paired device was not connected in the last hour.";
    network_silent: "{} gekoppelte Geräte waren in der letzten Stunde nicht verbunden.", "{} paired devices were not connected in the last hour.";
    connected_since: "verbunden seit {}", "connected since {}";
    away_since: "getrennt seit {}", "away since {}";
    way_direct: "direkt (QUIC, UDP)", "direct (QUIC, UDP)";
    way_internet: "direkt durchs Internet (QUIC, UDP)", "direct through the internet (QUIC, UDP)";
    way_relayed: "über das Relay (QUIC, UDP)", "through the relay (QUIC, UDP)";
    way_passed: "Browser, über das Relay (TLS, TCP)", "browser, through the relay (TLS, TCP)";
    way_tunnelled: "über das Relay (TLS, TCP), weil UDP nicht durchkommt", "through the relay (TLS, TCP), because UDP does not get through";
    way_browser: "Browser (WebSocket, TCP)", "browser (WebSocket, TCP)";
    way_fallback: "WebSocket (TCP), weil UDP nicht durchkommt", "WebSocket (TCP), because UDP does not get through";
    reach_here: "auf diesem Rechner", "on this machine";
    reach_near: "im Netz des Hauses", "on the house’s network";
    reach_far: "von außerhalb", "from outside";
    sent_in_an_hour: "{} gesendet", "{} sent";
    in_an_hour: "letzte Stunde", "last hour";
    hour_ago: "vor 1 Std.", "1 h ago";
    now: "jetzt", "now";
    round_trip: "Antwortzeit", "Round trip";
    round_trip_range: "kürzeste {}, längste {}", "shortest {}, longest {}";
    no_round_trip_yet: "Noch nicht gemessen.", "Not measured yet.";
    loss: "Paketverlust", "Packet loss";
    loss_range: "{} von {} Paketen verloren", "{} of {} packets lost";
    at_most_a_minute: "höchstens {} in einer Minute", "at most {} in a minute";
    no_packets_yet: "Noch nicht gemessen.", "Not measured yet.";
    no_loss_seen: "Bei WebSocket nicht zu sehen: TCP schickt Verlorenes selbst noch einmal.", "Can’t be seen with WebSocket: TCP itself sends again what was lost.";
    guesses: "Vorhersagen", "Predictions";
    guesses_range: "{} von {} Eingaben richtig, {} vorausgeschickt", "right for {} of {} taps, {} sent ahead";
    no_guesses: "Keine. Auf schnellen Verbindungen sind sie nicht nötig.", "None. Quick links don’t need them.";
    broke_at: "Abgebrochen um {}", "Broke at {}";
    alarm_loses: "verliert {} der Pakete", "loses {} of packets";
    alarm_breaks: "Verbindung brach {}-mal in {} Minuten ab", "the connection broke {} times in {} minutes";
    alarm_slow: "Antworten brauchen {}", "answers take {}";
    advice_here: "dieser Rechner ist überlastet", "this machine has too much to do";
    advice_near: "stellen Sie es näher an den Access Point", "move it nearer to the access point";
    advice_far: "prüfen Sie den Internetanschluss hier und dort", "check the internet connection here and there";

    // Pairing.
    pair_class: "Was wird gekoppelt?", "What is being paired?";
    pair_start: "Code anzeigen", "Show the code";
    pair_lead: "Der Code gilt zwei Minuten und für ein Gerät.", "The code is good for two minutes and one device.";
    pair_step_1: "Gerät mit demselben Netz verbinden.", "Connect the device to the same network.";
    pair_step_2: "Code mit der Kamera des Geräts lesen und den Link öffnen.", "Read the code with the device’s camera and open the link.";
    pair_step_3: "Hier einen Namen und eine Station wählen.", "Choose a name and a station here.";
    pair_text: "Code als Text (für Geräte ohne Kamera)", "Code as text (for devices without a camera)";
    pair_anywhere: "Link für Browser in anderen Netzen", "Link for browsers on other networks";
    pair_waiting: "Warte auf das Gerät", "Waiting for the device";
    pair_left: "noch {}", "{} left";
    pair_expired: "Der Code ist abgelaufen.", "The code has expired.";
    pair_again: "Neuen Code anzeigen", "Show a new code";
    pair_done_hint: "Geben Sie ihm einen Namen und eine Station.", "Give it a name and a station.";
    pair_qr: "QR-Code zum Koppeln", "QR code for pairing";

    // The licence.
    licence_hint: "Jeder Platz ist eine Instanz, die auf dieser Box läuft.", "Each seat is one instance that runs on this box.";
    seats_used: "{} belegt", "{} used";
    seats_free: "{} frei", "{} free";
    licensee: "Lizenznehmer", "Licensee";
    valid: "Gültig", "Valid";
    valid_range: "{} bis {}", "{} to {}";
    trial: "Testlizenz", "Trial licence";
    trial_hint: "Ohne Lizenzdatei laufen zwei Handgeräte und zwei Zahlterminals.", "Without a licence file two handhelds and two payment terminals run.";
    licence_valid: "gültig", "valid";
    licence_problem: "gilt nicht", "not valid";
    ends_today: "endet heute", "ends today";
    one_day_left: "noch 1 Tag", "1 day left";
    days_left: "noch {} Tage", "{} days left";
    bound_to: "Gilt für", "Good for";
    bound_any: "jede Box", "any box";
    bound_here: "diese Box", "this box";
    this_box: "Diese Box", "This box";
    upload_licence: "Lizenzdatei einspielen", "Upload a licence file";
    upload_hint: "Die Datei ist signiert. Sie gilt sofort, laufende Sitzungen bleiben bestehen.", "The file is signed. It takes effect at once, running sessions go on.";
    file: "Datei", "File";
    upload: "Einspielen", "Upload";
    licence_loaded: "Die Lizenz ist eingespielt: {} Handgeräte, {} Zahlterminals.", "The licence is in place: {} handhelds, {} payment terminals.";
    licence_kept: "Nicht eingespielt, die bisherige Lizenz gilt weiter. {}", "Not uploaded, the current licence stays in force. {}";
    licence_empty: "Wählen Sie zuerst eine Lizenzdatei aus.", "Choose a licence file first.";
    licence_malformed: "Das ist keine Lizenzdatei.", "This is not a licence file.";
    licence_signature: "Die Signatur stimmt nicht: die Datei wurde verändert oder stammt nicht vom Hersteller.", "The signature is wrong: the file was changed, or somebody else issued it.";
    licence_other_site: "Die Lizenz wurde für eine andere Box ausgestellt.", "The licence was issued for another box.";
    licence_not_yet: "Die Lizenz beginnt erst am {}.", "The licence only begins on {}.";
    licence_expired: "Die Lizenz endete am {}.", "The licence ended on {}.";

    // Staff.
    staff_hint: "Wer am Handgerät arbeitet, meldet sich mit Namen und PIN an.", "Whoever works on a handheld logs in with name and PIN.";
    add_person: "Person hinzufügen", "Add a person";
    role: "Rolle", "Role";
    role_owner: "Inhaber", "Owner";
    role_waiter: "Service", "Waiter";
    role_owner_hint: "darf alles, auch im Backoffice", "may do everything, also in the back office";
    role_waiter_hint: "nimmt Bestellungen auf und kassiert", "takes orders and payments";
    locked_out: "gesperrt", "revoked";
    revoked_devices: "Gesperrte Geräte", "Revoked devices";
    remove_device_question: "„{}“ aus der Liste entfernen?", "Remove “{}” from the list?";
    this_machine: "Browser auf dieser Box", "Browser on this box";
    new: "neu", "new";
    seatless: "kein Platz in der Lizenz", "no seat in the licence";
    status: "Status", "Status";
    edit_person: "Person bearbeiten", "Edit person";
    new_pin: "Neue PIN", "New PIN";
    pin_hint: "4 bis 6 Ziffern.", "4 to 6 digits.";
    pin_hint_edit: "4 bis 6 Ziffern. Leer lassen, um die PIN zu behalten.", "4 to 6 digits. Leave empty to keep the PIN.";
    pin_rule: "Eine PIN hat 4 bis 6 Ziffern.", "A PIN has 4 to 6 digits.";
    pin_weak: "Diese PIN ist leicht zu erraten. Wählen Sie besser eine andere.", "This PIN is easy to guess. Please choose another.";
    name_rule: "Ein Name hat 1 bis 40 Zeichen.", "A name has 1 to 40 characters.";
    added: "„{}“ ist angelegt.", "“{}” was added.";
    remove: "Entfernen", "Remove";
    remove_person_question: "„{}“ entfernen?", "Remove “{}”?";
    remove_person_hint: "Die Anmeldung ist sofort gesperrt. Bisherige Buchungen bleiben unter diesem Namen.", "Logging in is refused at once. What was booked so far stays under this name.";
    removed: "„{}“ ist entfernt.", "“{}” is removed.";
    former_staff: "Ausgeschieden", "Former staff";
    former_staff_hint: "Wer zurückkommt, behält den Namen in allen früheren Buchungen und bekommt eine neue PIN.",
        "Who comes back keeps the name in everything booked before, and gets a new PIN.";
    bring_back: "Zurückholen", "Bring back";
    bring_back_person: "Person zurückholen", "Bring a person back";
    brought_back: "„{}“ ist wieder da.", "“{}” is back.";
    office_password: "Kennwort fürs Backoffice", "Password for the back office";
    office_password_hint: "Mindestens 8 Zeichen, freiwillig. Ersetzt im Backoffice die PIN. Leer lassen, um nichts zu ändern.", "At least 8 characters, optional. Replaces the PIN in the back office. Leave empty to change nothing.";
    office_password_rule: "Ein Kennwort hat 8 bis 128 Zeichen.", "A password has 8 to 128 characters.";
    role_manager: "Leitung", "Manager";
    role_manager_hint: "sieht das Backoffice, ändert nichts", "sees the back office, changes nothing";
    last_owner: "Mindestens ein Inhaber muss aktiv bleiben.", "At least one owner must stay active.";
    you: "Sie", "you";

    // The catalogue.
    catalogue: "Sortiment", "Catalogue";
    catalogue_hint: "Was Sie verkaufen. Fotos, Namen und Preise erscheinen sofort auf allen Handgeräten.", "What you sell. Photos, names and prices show on all handhelds at once.";
    product: "Artikel", "Product";
    price: "Preis", "Price";
    tax: "Steuer", "Tax";
    tax_of: "{} Steuer", "{} tax";
    with_photo: "{} von {} mit Foto", "{} of {} with a photo";
    sold_yes: "im Verkauf", "on sale";
    sold_out: "ausverkauft", "sold out";
    sold_yes_hint: "kann bestellt werden", "can be ordered";
    sold_out_hint: "bleibt sichtbar, kann aber nicht bestellt werden", "stays visible but can't be ordered";
    no_products: "In dieser Gruppe ist noch nichts.", "Nothing in this group yet.";
    details: "Angaben", "Details";
    price_hint: "Brutto, ohne Beilagen und Extras. Was schon bestellt ist, behält seinen Preis.", "Gross, without sides and extras. What was ordered already keeps its price.";
    price_rule: "Ein Preis ist eine Zahl wie 3,90, höchstens 100.000.", "A price is a number like 3.90, at most 100,000.";
    product_name_rule: "Ein Name hat 1 bis 80 Zeichen.", "A name has 1 to 80 characters.";
    product_saved: "„{}“ ist gespeichert.", "“{}” is saved.";
    photo: "Foto", "Photo";
    no_photo: "Noch kein Foto", "No photo yet";
    photo_hint: "Quer aufgenommen wirkt es am besten: Die Kachel zeigt die Mitte im Format 8:5.", "Landscape looks best: the tile shows the middle, 8:5.";
    photo_limits: "PNG, JPEG oder WebP bis {} MB. Aufnahmeort und andere Angaben der Kamera werden entfernt.", "PNG, JPEG or WebP up to {} MB. Where and with what it was taken is removed.";
    photo_upload: "Hochladen", "Upload";
    photo_add: "Foto hochladen", "Upload a photo";
    photo_replace: "Foto ersetzen", "Replace the photo";
    photo_remove: "Foto entfernen", "Remove the photo";
    remove_photo_question: "Das Foto von „{}“ entfernen?", "Remove the photo of “{}”?";
    photo_saved: "„{}“ hat ein neues Foto.", "“{}” has a new photo.";
    photo_removed: "Das Foto ist entfernt.", "The photo is removed.";
    photo_missing: "Bitte wählen Sie zuerst ein Bild aus.", "Please choose a picture first.";
    photo_too_large: "Die Datei ist zu groß: Ein Foto darf höchstens {} MB haben.", "The file is too large: a photo may have {} MB at most.";
    photo_too_many_pixels: "Das Bild hat zu viele Bildpunkte ({}): höchstens {} Millionen sind möglich.", "The picture has too many pixels ({}): at most {} million are possible.";
    photo_too_much_memory: "Dieses Bild zu entpacken braucht zu viel Speicher. Bitte speichern Sie es kleiner oder als gewöhnliches JPEG (nicht „progressiv“).", "Unpacking this picture takes too much memory. Please save it smaller or as an ordinary JPEG (not “progressive”).";
    photo_unknown: "Diese Datei ist kein Bild, das gelesen werden kann. Bitte wählen Sie ein PNG, JPEG oder WebP.", "This file is no picture that can be read. Please choose a PNG, JPEG or WebP.";
    photo_animated: "Das Bild bewegt sich. Bitte wählen Sie ein Standbild.", "The picture moves. Please choose one that stands still.";
    photo_damaged: "Das Bild ist beschädigt und kann nicht gelesen werden. Bitte speichern Sie es neu oder wählen Sie ein anderes.", "The picture is damaged and can't be read. Please save it again or choose another.";
    photo_broken: "Das Hochladen ist abgebrochen oder hat zu lange gedauert. Bitte versuchen Sie es noch einmal.", "The upload broke off or took too long. Please try again.";
    too_many_photos: "Es sind schon so viele Fotos gespeichert, wie möglich ist.", "As many photos as possible are stored already.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_takes_its_place() {
        assert_eq!(put(texts(Language::De).pair_left, "1:47"), "noch 1:47");
        assert_eq!(put(&put(texts(Language::En).valid_range, "1 May"), "31 May"), "1 May to 31 May");
    }
}
