//! The figures as a table.

use super::{Evening, Report};

/// For a person.
#[must_use]
pub fn table(report: &Report) -> String {
    let mut text = format!(
        "Handheld script over the line `{}`, {} ms from tap to tap, the right pixels within 16 ms:\n\n",
        report.profile, report.pace_ms
    );
    text += "evening  guesses   taps  answered  of them pending  wrong > 1 RTT  missed  right p50/p99 ms   UDP bytes  payload bytes  CPU us/tap\n";
    for (number, (with, without)) in report.with.iter().zip(&report.without).enumerate() {
        text += &line(number, "with", with);
        text += &line(number, "without", without);
        text += &format!(
            "{:>7}  {:<8}  bytes x {:.2} (UDP), x {:.2} (payload); CPU {:+.0} us a tap\n",
            number,
            "",
            with.udp_bytes as f64 / without.udp_bytes.max(1) as f64,
            with.payload_bytes as f64 / without.payload_bytes.max(1) as f64,
            with.cpu_us_per_tap - without.cpu_us_per_tap,
        );
    }
    text
}

fn line(number: usize, name: &str, evening: &Evening) -> String {
    let share = |part: usize, all: usize| 100.0 * part as f64 / all.max(1) as f64;
    format!(
        "{:>7}  {:<8} {:>5}  {:>6.1} %  {:>7} of {:>4}    {:>11.2} %  {:>6}  {:>7.0} / {:<7.0} {:>10}  {:>13}  {:>10.0}\n",
        number,
        name,
        evening.taps,
        share(evening.answered, evening.taps),
        evening.pending,
        evening.beyond,
        share(evening.wrong, evening.taps),
        evening.missed,
        evening.right_ms.0,
        evening.right_ms.1,
        evening.udp_bytes,
        evening.payload_bytes,
        evening.cpu_us_per_tap,
    )
}
