//! Promise: every receipt lies in the spool, once, as ESC/POS and as a picture, whatever kills the server or the disk refuses.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod support;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use support::{open_demo, plain_product, sell};
use tempfile::tempdir;
use tokio_util::sync::CancellationToken;
use tresen_edge::spool::{COLUMNS, Spool, encode};
use tresen_ledger::Ledger;
use tresen_scene::Namer;
use tresen_till::receipt::{Align, PrintLine, Style};
use tresen_till::{Language, ReceiptNumber, receipt};
use tresen_typeset::Typesetter;

/// A line as a printer would print it.
#[derive(Debug, PartialEq, Eq)]
struct Printed {
    text: String,
    bold: bool,
    tall: bool,
    centred: bool,
}

/// A printer of our own: reads the bytes after Epson's command reference, and knows nothing of the writer.
fn print(bytes: &[u8]) -> Vec<Printed> {
    let mut lines = Vec::new();
    let (mut text, mut bold, mut tall, mut centred, mut cut) = (String::new(), false, false, false, false);
    let mut at = 0;
    while at < bytes.len() {
        assert!(!cut, "nothing follows the cut");
        match bytes[at..] {
            [0x1b, b'@', ..] => at += 2,
            [0x1b, b't', 19, ..] => at += 3,
            [0x1b, b'a', n @ 0..=2, ..] => (centred, at) = (n == 1, at + 3),
            [0x1b, b'E', n @ 0..=1, ..] => (bold, at) = (n == 1, at + 3),
            [0x1d, b'!', n @ (0x00 | 0x01), ..] => (tall, at) = (n == 0x01, at + 3),
            [0x1d, b'V', b'B', _, ..] => (cut, at) = (true, at + 4),
            [b'\n', ..] => {
                lines.push(Printed { text: std::mem::take(&mut text), bold, tall, centred });
                at += 1;
            }
            [byte, ..] => {
                text.push(letter_of_858(byte));
                at += 1;
            }
            [] => unreachable!(),
        }
    }
    assert!(cut && text.is_empty(), "the paper is cut after the last line");
    lines
}

/// The letters of code page 858 that a German receipt has, as Microsoft's table has them.
fn letter_of_858(byte: u8) -> char {
    match byte {
        0x20..=0x7e => byte as char,
        0x81 => 'ü',
        0x82 => 'é',
        0x84 => 'ä',
        0x8e => 'Ä',
        0x94 => 'ö',
        0x99 => 'Ö',
        0x9a => 'Ü',
        0xd5 => '€',
        0xe1 => 'ß',
        other => panic!("byte {other:#04x} is no letter of a German receipt"),
    }
}

fn line(text: &str, style: Style, align: Align) -> PrintLine {
    PrintLine { text: text.into(), style, align }
}

#[test]
fn a_printer_reads_what_was_meant() {
    let printed = print(&encode(&[
        line("GASTHAUS ZUR SCHÖNEN AUSSICHT", Style::Strong, Align::Center),
        line("Käsespätzle „groß“ – Ştefan … 3,90 €", Style::Normal, Align::Left),
        line("\u{1f37a}", Style::Normal, Align::Left),
    ]));
    let expected = [
        ("GASTHAUS ZUR SCHÖNEN AUSSICHT", true, true),
        ("Käsespätzle \"groß\" - Stefan . 3,90 €", false, false),
        ("?", false, false),
    ];
    assert_eq!(printed.len(), expected.len());
    for (printed, (text, strong, centred)) in printed.iter().zip(expected) {
        assert_eq!(printed.text, text);
        assert_eq!((printed.bold, printed.tall, printed.centred), (strong, strong, centred));
    }
}

fn start(folder: &Path, ledger: &Ledger) -> (Spool, CancellationToken) {
    start_with(Some(Typesetter::new(Namer::new([0; 32]))), folder, ledger)
}

fn start_with(
    painter: Option<Arc<Typesetter>>,
    folder: &Path,
    ledger: &Ledger,
) -> (Spool, CancellationToken) {
    let stop = CancellationToken::new();
    (Spool::start(folder.to_owned(), painter, ledger.watch(), stop.clone()), stop)
}

/// Waits until the spool has written so many files.
async fn written(spool: &Spool, count: u64) {
    let done = async {
        while spool.stats().written() < count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), done).await.expect("the spool writes");
}

/// Waits until the spool has noted how far it came, which it does after it wrote.
async fn noted(folder: &Path, number: &str) {
    let done = async {
        while !std::fs::read_to_string(folder.join("progress")).is_ok_and(|text| text.trim() == number) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), done).await.expect("the spool notes its progress");
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_follow_the_ledger_and_say_what_was_sold() {
    let data = tempdir().unwrap();
    let path = data.path().to_owned();
    let ledger = tokio::task::spawn_blocking(move || open_demo(&path)).await.unwrap();
    let folder = data.path().join("spool");
    let (spool, stop) = start(&folder, &ledger);
    let selling = ledger.clone();
    let product = plain_product(&ledger);
    tokio::task::spawn_blocking(move || sell(&selling, 4, product)).await.unwrap();
    written(&spool, 1).await;
    noted(&folder, "1").await;
    stop.cancel();

    assert_eq!(names(&folder), ["progress", "receipt-000001.escpos", "receipt-000001.png"]);
    let till = ledger.till();
    let receipt = till.receipt(ReceiptNumber(1)).unwrap();
    let printed = print(&std::fs::read(folder.join("receipt-000001.escpos")).unwrap());
    let meant = receipt::lines(receipt, till.site(), Language::De, COLUMNS);
    assert_eq!(
        printed.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(),
        meant.iter().map(|line| line.text.as_str()).collect::<Vec<_>>()
    );
    let total = printed.iter().find(|line| line.text.starts_with("SUMME EUR")).unwrap();
    assert!(total.tall && total.bold);
    assert!(total.text.contains(&receipt.total.format_plain(receipt.currency, Language::De)));

    let png = std::fs::File::open(folder.join("receipt-000001.png")).unwrap();
    let mut reader = png::Decoder::new(std::io::BufReader::new(png)).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert!(info.width >= 576 && info.height as usize > meant.len() * 20, "{}x{}", info.width, info.height);
    let inked = pixels.iter().filter(|byte| **byte != 0xff).count();
    assert!(inked * 50 > pixels.len() && inked * 3 < pixels.len(), "{inked} of {} are inked", pixels.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_what_is_missing_is_made_and_nothing_twice() {
    let data = tempdir().unwrap();
    let path = data.path().to_owned();
    let ledger = tokio::task::spawn_blocking(move || {
        let ledger = open_demo(&path);
        let product = plain_product(&ledger);
        (1..=3).for_each(|table| {
            sell(&ledger, table, product);
        });
        ledger
    })
    .await
    .unwrap();
    let folder = data.path().join("spool");
    // As a kill leaves it: the first one is done and was taken away, the second is half there, and so is a longer note.
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("progress"), "1\n\0\0\0\0").unwrap();
    std::fs::write(folder.join("receipt-000002.png.tmp"), "half").unwrap();
    let (spool, stop) = start(&folder, &ledger);
    written(&spool, 2).await;
    noted(&folder, "3").await;
    stop.cancel();
    let all = [
        "progress",
        "receipt-000002.escpos",
        "receipt-000002.png",
        "receipt-000003.escpos",
        "receipt-000003.png",
    ];
    assert_eq!(names(&folder), all);

    std::fs::remove_file(folder.join("receipt-000002.escpos")).unwrap();
    let (spool, stop) = start(&folder, &ledger);
    assert!(spool.reprint(ReceiptNumber(3)));
    written(&spool, 1).await;
    stop.cancel();
    assert!(!folder.join("receipt-000002.escpos").exists(), "what was taken away stays away");
    let copy = print(&std::fs::read(folder.join("receipt-000003-copy-1.escpos")).unwrap());
    assert_eq!(copy.first().unwrap().text, "*** KOPIE ***");
    assert_eq!(copy.last().unwrap().text, "*** KOPIE ***");
}

/// Promise: nothing is painted where nobody wants pictures.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_painter_there_are_no_pictures() {
    let data = tempdir().unwrap();
    let path = data.path().to_owned();
    let ledger = tokio::task::spawn_blocking(move || {
        let ledger = open_demo(&path);
        sell(&ledger, 4, plain_product(&ledger));
        ledger
    })
    .await
    .unwrap();
    let folder = data.path().join("spool");
    let (spool, stop) = start_with(None, &folder, &ledger);
    written(&spool, 1).await;
    noted(&folder, "1").await;
    assert!(spool.reprint(ReceiptNumber(1)));
    written(&spool, 2).await;
    stop.cancel();
    assert_eq!(names(&folder), ["progress", "receipt-000001-copy-1.escpos", "receipt-000001.escpos"]);
}

/// Promise: a receipt costs the same however many lie there. The folder is looked through once, at the start; and it is made again when
/// somebody took it away, with everything that was in it.
#[tokio::test(flavor = "multi_thread")]
async fn the_folder_is_looked_through_once() {
    let data = tempdir().unwrap();
    let path = data.path().to_owned();
    let ledger = tokio::task::spawn_blocking(move || open_demo(&path)).await.unwrap();
    let folder = data.path().join("spool");
    let (spool, stop) = start(&folder, &ledger);
    let product = plain_product(&ledger);
    let sell_at = |table| {
        let ledger = ledger.clone();
        tokio::task::spawn_blocking(move || sell(&ledger, table, product))
    };
    sell_at(1).await.unwrap();
    written(&spool, 1).await;
    noted(&folder, "1").await;
    // Whoever looks through the folder clears this away.
    let unfinished = folder.join("receipt-000099.png.tmp");
    std::fs::write(&unfinished, "half").unwrap();
    sell_at(2).await.unwrap();
    written(&spool, 2).await;
    noted(&folder, "2").await;
    assert!(unfinished.exists());

    std::fs::remove_dir_all(&folder).unwrap();
    sell_at(3).await.unwrap();
    written(&spool, 5).await;
    noted(&folder, "3").await;
    stop.cancel();
    assert_eq!(names(&folder).len(), 7, "{:?}", names(&folder));
}

/// Promise: in a house where the next receipt is always there before the one before is done, a copy is written within two rounds, and
/// after the receipts that were due when it was asked for.
#[tokio::test(flavor = "multi_thread")]
async fn copies_do_not_starve_behind_receipts() {
    let data = tempdir().unwrap();
    let path = data.path().to_owned();
    let tills = tokio::task::spawn_blocking(move || {
        let ledger = open_demo(&path);
        let product = plain_product(&ledger);
        let after_a_sale = |table| {
            sell(&ledger, table, product);
            ledger.till()
        };
        (1..=4).map(after_a_sale).collect::<Vec<_>>()
    })
    .await
    .unwrap();
    let folder = data.path().join("spool");
    let (publish, till) = tokio::sync::watch::channel(tills[0].clone());
    let stop = CancellationToken::new();
    let spool = Spool::start(folder.clone(), None, till, stop.clone());
    noted(&folder, "1").await;
    for (number, next) in (2..).zip(&tills[1..]) {
        publish.send_replace(next.clone());
        if number == 2 {
            assert!(spool.reprint(ReceiptNumber(1)));
        }
        noted(&folder, &number.to_string()).await;
    }
    stop.cancel();
    let written_at = |name: &str| std::fs::metadata(folder.join(name)).and_then(|file| file.modified());
    let copied_at = written_at("receipt-000001-copy-1.escpos").expect("the copy is there");
    assert!(copied_at >= written_at("receipt-000002.escpos").unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_refuses_is_tried_again() {
    let data = tempdir().unwrap();
    let path = data.path().to_owned();
    let ledger = tokio::task::spawn_blocking(move || {
        let ledger = open_demo(&path);
        sell(&ledger, 1, plain_product(&ledger));
        ledger
    })
    .await
    .unwrap();
    let folder = data.path().join("spool");
    std::fs::write(&folder, "a file where the folder should be").unwrap();
    let (spool, stop) = start(&folder, &ledger);
    let refused = async {
        while spool.stats().failed() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), refused).await.unwrap();
    std::fs::remove_file(&folder).unwrap();
    written(&spool, 1).await;
    stop.cancel();
    assert!(folder.join("receipt-000001.escpos").exists());
    let _: Arc<_> = ledger.till();
}
