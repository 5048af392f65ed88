//! The spool: every receipt as a file that a receipt printer understands and, where that is wanted, as a picture.
//!
//! ```text
//! spool/receipt-000123.escpos          bytes for a printer (see `escpos`)
//! spool/receipt-000123.png             the same as a picture; only with a painter
//! spool/receipt-000123-copy-1.escpos   printed again, marked as a copy
//! spool/progress                       the number of the last receipt that is here
//! ```
//!
//! It follows the ledger: what was committed is printed, and nothing else. Sales never wait for it: a disk that refuses is logged and
//! tried again.
//!
//! Invariants:
//! - a file is whole or not there;
//! - a receipt is written once: after a kill the spool goes on behind `progress`, and a file that is there with the same bytes is left alone;
//! - files that somebody took away (because they were printed) don't come back, but for those of a round that a kill interrupts: `progress` is noted
//!   after each 32 receipts and at the end, so as many may be written again.
//!
//! Not for: sending to printers.

mod escpos;
mod follow;
mod paper;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tresen_till::receipt::{self, Align, PrintLine, Style};
use tresen_till::{Language, Receipt, ReceiptNumber, Site, Till};
use tresen_typeset::Typesetter;

use crate::files::{UNFINISHED, note, sync_folder, write_together};

pub use escpos::encode;
pub use follow::{Spool, SpoolStats};
pub use paper::picture;

/// Columns of the paper: 80 mm at 203 dots an inch are 576 dots, font A has 12 dots a letter.
pub const COLUMNS: usize = 48;

/// The file that says how far it has come.
const PROGRESS: &str = "progress";

/// Its length: a number, spaces and the end of the line.
const PROGRESS_BYTES: usize = 24;

/// Most copies of one receipt.
const MAX_COPIES: u32 = 99;

/// Why a receipt is not in the spool.
#[derive(Debug, Error)]
pub enum SpoolError {
    /// The disk refused.
    #[error("{} can't be written: {source}", path.display())]
    Disk {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It was copied too often.
    #[error("receipt {0} was printed again {MAX_COPIES} times already")]
    TooManyCopies(ReceiptNumber),
}

/// The folder, while nothing in it has failed.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    progress: ReceiptNumber,
}

impl Folder {
    /// Opens or creates it, and clears away what a kill left unfinished.
    pub(crate) fn open(path: &Path) -> Result<Self, SpoolError> {
        let disk = |source| SpoolError::Disk { path: path.to_owned(), source };
        std::fs::create_dir_all(path).map_err(disk)?;
        for entry in std::fs::read_dir(path).map_err(disk)? {
            let entry = entry.map_err(disk)?;
            if entry.file_name().to_string_lossy().ends_with(UNFINISHED) {
                std::fs::remove_file(entry.path()).map_err(disk)?;
            }
        }
        let noted = std::fs::read_to_string(path.join(PROGRESS)).unwrap_or_default();
        let progress = {
            // A kill may have left the room for it, and nothing in it yet.
            let number = noted.trim_matches(|letter: char| letter.is_whitespace() || letter == '\0');
            ReceiptNumber(number.parse().unwrap_or(0))
        };
        Ok(Self { path: path.to_owned(), progress })
    }

    /// The last receipt that is here; 0 when none is.
    pub(crate) const fn progress(&self) -> ReceiptNumber {
        self.progress
    }

    /// Everything up to this receipt is here, and stays.
    pub(crate) fn set_progress(&mut self, number: ReceiptNumber) -> Result<(), SpoolError> {
        self.sync()?;
        let path = self.path.join(PROGRESS);
        let mut noted = [b' '; PROGRESS_BYTES];
        let digits = number.to_string();
        noted[..digits.len()].copy_from_slice(digits.as_bytes());
        noted[PROGRESS_BYTES - 1] = b'\n';
        note(&path, &noted).map_err(|source| SpoolError::Disk { path, source })?;
        self.progress = number;
        Ok(())
    }

    fn sync(&self) -> Result<(), SpoolError> {
        sync_folder(&self.path).map_err(|source| SpoolError::Disk { path: self.path.clone(), source })
    }

    /// Writes receipts, as originals. They are sure to stay when the progress says so.
    pub(crate) fn receipts(
        &self,
        painter: Option<&Typesetter>,
        site: &Site,
        receipts: &[Arc<Receipt>],
    ) -> Result<(), SpoolError> {
        let files = receipts.iter().flat_map(|receipt| {
            let lines = receipt::lines(receipt, site, site.language, COLUMNS);
            printed(painter, &base_name(receipt.number), &lines)
        });
        self.write(files.collect())
    }

    /// Writes a receipt again, marked as a copy.
    pub(crate) fn copy(
        &self,
        painter: Option<&Typesetter>,
        site: &Site,
        receipt: &Receipt,
    ) -> Result<(), SpoolError> {
        let lines = copy_lines(receipt::lines(receipt, site, site.language, COLUMNS), site.language);
        let name = (1..=MAX_COPIES)
            .map(|number| format!("{}-copy-{number}", base_name(receipt.number)))
            .find(|name| !self.path.join(format!("{name}.escpos")).exists())
            .ok_or(SpoolError::TooManyCopies(receipt.number))?;
        self.write(printed(painter, &name, &lines))?;
        self.sync()
    }

    /// Writes those that are not here already.
    fn write(&self, mut files: Vec<(String, Vec<u8>)>) -> Result<(), SpoolError> {
        files.retain(|(name, bytes)| {
            std::fs::read(self.path.join(name)).map_or(true, |there| there != *bytes)
        });
        if files.is_empty() {
            return Ok(());
        }
        write_together(&self.path, &files)
            .map_err(|source| SpoolError::Disk { path: self.path.clone(), source })
    }
}

/// The files of one print.
fn printed(painter: Option<&Typesetter>, name: &str, lines: &[PrintLine]) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::with_capacity(2);
    // The other receipts of a batch don't wait for one that can't be drawn.
    match painter.map(|painter| catch_unwind(AssertUnwindSafe(|| picture(painter, lines)))) {
        Some(Ok(Ok(png))) => files.push((format!("{name}.png"), png)),
        Some(Ok(Err(error))) => tracing::error!(%name, %error, "a receipt goes without its picture"),
        Some(Err(_)) => tracing::error!(%name, "a receipt goes without its picture: drawing it panicked"),
        None => {}
    }
    files.push((format!("{name}.escpos"), encode(lines)));
    files
}

/// The receipts that are not in the spool yet, oldest first. When the journal is behind the spool (an older backup was restored), all of them.
pub(crate) fn missing(till: &Till, progress: ReceiptNumber) -> Vec<Arc<Receipt>> {
    let last = till.last_receipt().map_or(ReceiptNumber(0), |receipt| receipt.number);
    let from = if progress > last { ReceiptNumber(0) } else { progress };
    till.receipts_from(ReceiptNumber(from.0 + 1)).cloned().collect()
}

/// What a printed copy says: that it is one, above and below.
fn copy_lines(mut lines: Vec<PrintLine>, language: Language) -> Vec<PrintLine> {
    let word = match language {
        Language::De => "*** KOPIE ***",
        Language::En => "*** COPY ***",
    };
    let mark = PrintLine { text: word.to_owned(), style: Style::Strong, align: Align::Center };
    lines.insert(0, mark.clone());
    lines.push(mark);
    lines
}

fn base_name(number: ReceiptNumber) -> String {
    format!("receipt-{:06}", number.0)
}
