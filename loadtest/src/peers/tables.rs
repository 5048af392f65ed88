//! The comparison as Markdown.

use std::fmt::Write as _;

use super::chart::number;
use super::figures::Pass;
use super::report::{Figures, Missing, Outcome, Report, mebibytes, session_mebibytes};

/// The tables, as Markdown.
pub fn tables(report: &Report) -> String {
    let machine = &report.machine;
    let mut out = format!(
        "`{}`, {}. {}, {} cores, {} MiB, {}, Linux {}; load before {}, after {}; took {:.0} s.\n",
        report.command,
        report.date,
        machine.processor,
        machine.cores,
        machine.memory_mib,
        machine.system,
        machine.kernel,
        machine.load_before,
        machine.load_after,
        report.took_seconds,
    );
    overview(&mut out, report);
    for (handheld, title) in [(false, "The reference till"), (true, "The handheld app")] {
        let some: Vec<&Outcome> = report.results.iter().filter(|each| each.handheld == handheld).collect();
        if !some.is_empty() {
            lan_table(&mut out, title, &some);
            links_table(&mut out, title, &some);
        }
    }
    for failed in report.results.iter().filter(|each| each.figures.is_none()) {
        let reason = failed.reason.as_deref().unwrap_or("no reason");
        let _ = writeln!(out, "\n{} was not measured: {reason}", failed.name);
    }
    for (outcome, figures) in report.results.iter().filter_map(|each| Some((each, each.figures.as_ref()?))) {
        for Missing { link, reason } in &figures.missing {
            let _ = writeln!(out, "\n{} was not measured at {}: {reason}", outcome.name, link_name(link));
        }
    }
    out
}

/// What counts, everybody in one table.
fn overview(out: &mut String, report: &Report) {
    out.push_str(
        "\n### At a glance\n\n| | first screen, B | ms: LAN / 40 ms / 150 ms | cold, B a tap: mean / median | repeated: mean / median \
         | last pixel, ms, LAN: p50 / p99 | 40 ms: p50 / slowest | 150 ms: p50 / slowest | server CPU, ms a tap | a session, MiB |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for outcome in &report.results {
        let Some(figures) = &outcome.figures else {
            let _ = writeln!(out, "| {} | not measured | | | | | | | | |", outcome.name);
            continue;
        };
        let links = ["near", "far"].map(|link| figures.links.iter().find(|each| each.link == link));
        let first =
            links.map(|link| link.map_or("-".to_owned(), |link| number(link.first_screen.ms.round())));
        let last = links.map(|link| {
            link.map_or("-".to_owned(), |link| {
                times(link.cold.last_pixel_p50_ms, link.cold.last_pixel_p99_ms)
            })
        });
        let bytes =
            |pass: &Pass| format!("{} / {}", number(pass.mean_bytes.round()), number(pass.median_bytes));
        let _ = writeln!(
            out,
            "| {} | {} | {} / {} / {} | {} | {} | {:.1} / {:.1} | {} | {} | {:.2} | {} |",
            outcome.name,
            number(figures.first_screen.down_bytes as f64),
            number(figures.first_screen.ms.round()),
            first[0],
            first[1],
            bytes(&figures.cold),
            bytes(&figures.repeat),
            figures.cold.last_pixel_p50_ms,
            figures.cold.last_pixel_p99_ms,
            last[0],
            last[1],
            figures.server_cpu_ms_per_tap,
            number(session_mebibytes(figures)),
        );
    }
}

fn times(one: f64, other: f64) -> String {
    format!("{} / {}", number(one.round()), number(other.round()))
}

fn lan_table(out: &mut String, title: &str, some: &[&Outcome]) {
    let _ = write!(
        out,
        "\n### {title}, {}\n\n| | first screen, B | ms | cold, B a tap: mean | median | repeated: mean | median | last pixel, ms: p50 | p99 \
         | server CPU, ms a tap | idle CPU, % | a session, MiB | all processes, MiB | wrong pixels, % |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
        link_name("lan")
    );
    for (outcome, figures) in measured(some) {
        let _ = writeln!(
            out,
            "| {} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {:.1} | {:.1} | {:.2} | {:.1} | {} | {:.1} | {:.2} |",
            outcome.name,
            figures.first_screen.down_bytes,
            figures.first_screen.ms,
            figures.cold.mean_bytes,
            figures.cold.median_bytes,
            figures.repeat.mean_bytes,
            figures.repeat.median_bytes,
            figures.cold.last_pixel_p50_ms,
            figures.cold.last_pixel_p99_ms,
            figures.server_cpu_ms_per_tap,
            figures.server_idle_cpu_percent,
            number(session_mebibytes(figures)),
            mebibytes(figures.memory.private_bytes),
            figures.wrong_pixels_percent,
        );
    }
}

fn links_table(out: &mut String, title: &str, some: &[&Outcome]) {
    for link in ["near", "far"] {
        let mut rows = String::new();
        for (outcome, figures) in measured(some) {
            let Some(found) = figures.links.iter().find(|each| each.link == link) else { continue };
            let _ = writeln!(
                rows,
                "| {} | {} | {:.0} | {:.0} | {:.0} | {:.0} | {:.0} | {:.2} |",
                outcome.name,
                found.first_screen.down_bytes,
                found.first_screen.ms,
                found.cold.mean_bytes,
                found.cold.median_bytes,
                found.cold.last_pixel_p50_ms,
                found.cold.last_pixel_p99_ms,
                found.wrong_pixels_percent,
            );
        }
        if !rows.is_empty() {
            let _ = write!(
                out,
                "\n### {title}, {}\n\n| | first screen, B | ms | cold, B a tap: mean | median | last pixel, ms: p50 | slowest | wrong pixels, % |\n\
                 |---|--:|--:|--:|--:|--:|--:|--:|\n{rows}",
                link_name(link)
            );
        }
    }
}

fn link_name(link: &str) -> &'static str {
    match link {
        "near" => "40 ms and 20 Mbit/s",
        "far" => "150 ms, 2 Mbit/s and 1 % loss",
        _ => "LAN",
    }
}

fn measured<'a>(some: &'a [&Outcome]) -> impl Iterator<Item = (&'a Outcome, &'a Figures)> {
    some.iter().filter_map(|outcome| Some((*outcome, outcome.figures.as_ref()?)))
}
