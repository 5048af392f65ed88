//! The tables, and every statement that touches them.
//!
//! `journal`: rows 1, 2, 3 without gaps, one a submission. `snapshot`: at most one. `marks`, `records`: the newest values.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use imbl::OrdMap;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use tresen_till::{DecodeError, Event, Site, Till, encode_events};

use crate::chain::{GENESIS, Head, Row};
use crate::error::{OpenError, VerifyError};
use crate::ledger::{Fault, Mark, Options, Published, Record, Records, SessionId};
use crate::limits;

/// The newest format of the database that this program knows.
const FORMAT: i64 = 1;
/// Marks a database as ours: "Tres".
const APPLICATION_ID: i64 = 0x5472_6573;
/// How long a reader or a backup beside us may make us wait.
const BUSY_MS: u64 = 10_000;
/// Pages of the write-ahead log after which it is folded into the database.
const CHECKPOINT_PAGES: i64 = 2_000;
/// Snapshots are rare and read once: fast is enough.
const SNAPSHOT_ZSTD_LEVEL: i32 = 1;

const TABLES: &str = "
    CREATE TABLE journal (
        row INTEGER PRIMARY KEY,
        at_ms INTEGER NOT NULL,
        staff INTEGER,
        station INTEGER NOT NULL,
        device TEXT NOT NULL,
        events BLOB NOT NULL,
        hash BLOB NOT NULL
    ) STRICT;
    CREATE TABLE snapshot (id INTEGER PRIMARY KEY CHECK (id = 1), row INTEGER NOT NULL, till BLOB NOT NULL) STRICT;
    CREATE TABLE marks (session BLOB PRIMARY KEY, input INTEGER NOT NULL, app BLOB NOT NULL) STRICT, WITHOUT ROWID;
    CREATE TABLE records (kind TEXT, key TEXT, value BLOB NOT NULL, PRIMARY KEY (kind, key)) STRICT, WITHOUT ROWID;
";

/// The open database. Only the writer thread has it.
pub(crate) struct Database {
    connection: Connection,
}

/// What an opened database holds.
pub(crate) struct Start {
    pub(crate) published: Published,
    pub(crate) head: Head,
    pub(crate) snapshot_row: u64,
}

impl Database {
    pub(crate) fn open(path: &Path, options: &Options) -> Result<(Database, Start), OpenError> {
        let io = |error| describe(path, &error);
        let damaged = |error: VerifyError| OpenError::Damaged { path: path.to_owned(), error };
        let connection = Connection::open(path).map_err(io)?;
        check_format(&connection, path)?;
        let database = Database { connection };
        database.prepare(options).map_err(io)?;
        sync_folder(path)
            .map_err(|error| OpenError::Io { path: path.to_owned(), reason: error.to_string() })?;
        let start = database.load(path, damaged)?;
        Ok((database, start))
    }

    fn load(&self, path: &Path, damaged: impl Fn(VerifyError) -> OpenError) -> Result<Start, OpenError> {
        let (snapshot_row, mut till, mut head) = match self.snapshot().map_err(&damaged)? {
            Some((head, bytes)) => match unpack_snapshot(&bytes) {
                Ok(till) => (head.row, till, head),
                Err(DecodeError::Version(found)) => {
                    return Err(OpenError::Newer {
                        path: path.to_owned(),
                        found: found.into(),
                        known: FORMAT,
                    });
                }
                Err(DecodeError::Malformed) => {
                    tracing::warn!("the snapshot can't be read; replaying the whole journal");
                    (0, Till::empty(Site::default()), Head::START)
                }
            },
            None => (0, Till::empty(Site::default()), Head::START),
        };
        for_each_row(&self.connection, head.row, |row| {
            for event in head.follow(&row)? {
                till.apply(&event);
            }
            Ok(())
        })
        .map_err(&damaged)?;
        let marks = self.marks().map_err(|error| damaged(error.into()))?;
        let records = self.records().map_err(|error| damaged(error.into()))?;
        let published = Published::new(till, marks, records);
        Ok(Start { published, head, snapshot_row })
    }

    fn prepare(&self, options: &Options) -> rusqlite::Result<()> {
        let connection = &self.connection;
        be_patient(connection)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(
            None,
            "synchronous",
            if options.fault == Fault::LazySync { "NORMAL" } else { "FULL" },
        )?;
        connection.pragma_update(None, "fullfsync", true)?;
        connection.pragma_update(None, "checkpoint_fullfsync", true)?;
        connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES)?;
        if let Some(pages) = options.pages_max {
            connection.pragma_update(None, "max_page_count", pages)?;
        }
        let format: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if format == 0 { self.create(options) } else { Ok(()) }
    }

    /// Makes the tables; the first row of the journal says whose ledger it is.
    fn create(&self, options: &Options) -> rusqlite::Result<()> {
        self.begin()?;
        self.connection.execute_batch(TABLES)?;
        let mut first = Row {
            row: 1,
            at_ms: jiff::Timestamp::now().as_millisecond(),
            staff: None,
            station: 0,
            device: String::new(),
            events: encode_events(&[Event::SitePut(options.site.clone())]),
            hash: GENESIS,
        };
        first.hash = first.hash_after(&GENESIS);
        self.append(&first)?;
        self.connection.pragma_update(None, "application_id", APPLICATION_ID)?;
        self.connection.pragma_update(None, "user_version", FORMAT)?;
        self.commit()
    }

    /// The snapshot with the head that it stands at.
    fn snapshot(&self) -> Result<Option<(Head, Vec<u8>)>, VerifyError> {
        let stored: Option<(u64, Vec<u8>)> = self
            .connection
            .query_row("SELECT row, till FROM snapshot", [], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((row, till)) = stored else { return Ok(None) };
        let hash = match row {
            0 => GENESIS,
            _ => self
                .connection
                .query_row("SELECT hash FROM journal WHERE row = ?1", [row], |found| found.get(0))
                .optional()?
                .ok_or(VerifyError::ChainBroken { row })?,
        };
        Ok(Some((Head { row, hash }, till)))
    }

    fn marks(&self) -> rusqlite::Result<OrdMap<SessionId, Arc<Mark>>> {
        let mut statement = self.connection.prepare("SELECT session, input, app FROM marks")?;
        let marks = statement.query_map([], |row| {
            let session: SessionId = row.get(0)?;
            Ok((session, Arc::new(Mark { session, input: row.get(1)?, app: row.get(2)? })))
        })?;
        marks.collect()
    }

    fn records(&self) -> rusqlite::Result<Records> {
        let mut statement = self.connection.prepare("SELECT kind, key, value FROM records")?;
        let records = statement.query_map([], |row| {
            let value: Vec<u8> = row.get(2)?;
            Ok(((row.get(0)?, row.get(1)?), Arc::<[u8]>::from(value)))
        })?;
        records.collect()
    }

    pub(crate) fn begin(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch("BEGIN IMMEDIATE")
    }

    pub(crate) fn commit(&self) -> rusqlite::Result<()> {
        self.connection.execute_batch("COMMIT")
    }

    pub(crate) fn roll_back(&self) {
        // After most errors SQLite has rolled back by itself and says so: nothing to do about either.
        if let Err(error) = self.connection.execute_batch("ROLLBACK") {
            tracing::debug!(%error, "nothing to roll back");
        }
    }

    pub(crate) fn append(&self, row: &Row) -> rusqlite::Result<()> {
        let sql = "INSERT INTO journal (row, at_ms, staff, station, device, events, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        self.connection.prepare_cached(sql)?.execute(params![
            row.row,
            row.at_ms,
            row.staff,
            row.station,
            row.device,
            row.events,
            row.hash
        ])?;
        Ok(())
    }

    pub(crate) fn put_mark(&self, mark: &Mark) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO marks (session, input, app) VALUES (?1, ?2, ?3)";
        self.connection.prepare_cached(sql)?.execute(params![mark.session, mark.input, mark.app])?;
        Ok(())
    }

    pub(crate) fn put_record(&self, record: &Record) -> rusqlite::Result<()> {
        if let Some(value) = &record.value {
            let sql = "INSERT OR REPLACE INTO records (kind, key, value) VALUES (?1, ?2, ?3)";
            self.connection.prepare_cached(sql)?.execute(params![record.kind, record.key, value])?;
        } else {
            let sql = "DELETE FROM records WHERE kind = ?1 AND key = ?2";
            self.connection.prepare_cached(sql)?.execute(params![record.kind, record.key])?;
        }
        Ok(())
    }

    pub(crate) fn put_snapshot(&self, row: u64, till: &Till) -> rusqlite::Result<()> {
        let sql = "INSERT OR REPLACE INTO snapshot (id, row, till) VALUES (1, ?1, ?2)";
        self.connection.execute(sql, params![row, pack_snapshot(till)])?;
        Ok(())
    }

    /// Folds the write-ahead log into the database, so that a closed ledger is one file.
    pub(crate) fn fold(&self) -> rusqlite::Result<()> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }
}

/// Calls back for every row after one, in order.
pub(crate) fn for_each_row(
    connection: &Connection,
    after: u64,
    mut each: impl FnMut(Row) -> Result<(), VerifyError>,
) -> Result<(), VerifyError> {
    let sql =
        "SELECT row, at_ms, staff, station, device, events, hash FROM journal WHERE row > ?1 ORDER BY row";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([after])?;
    while let Some(found) = rows.next()? {
        let row: u64 = found.get(0)?;
        let read = || {
            Ok::<Row, rusqlite::Error>(Row {
                row,
                at_ms: found.get(1)?,
                staff: found.get(2)?,
                station: found.get(3)?,
                device: found.get(4)?,
                events: found.get(5)?,
                hash: found.get(6)?,
            })
        };
        // A value of another type or length: somebody was there.
        each(read().map_err(|_| VerifyError::ChainBroken { row })?)?;
    }
    Ok(())
}

/// Opens a ledger beside whoever works on it, also one that died. Never creates a file, never tidies up for the owner.
///
/// Not read-only: reading a write-ahead log takes part in its shared memory.
pub(crate) fn open_beside(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    be_patient(&connection)?;
    Ok(connection)
}

/// Waits for others instead of failing at once.
fn be_patient(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::from_millis(BUSY_MS))
}

/// Bytes in front of a packed snapshot: its plain size, little-endian.
const SIZE_BYTES: usize = 8;

/// The till of a packed snapshot.
pub(crate) fn unpack_snapshot(bytes: &[u8]) -> Result<Till, DecodeError> {
    let (size, packed) = bytes.split_first_chunk::<SIZE_BYTES>().ok_or(DecodeError::Malformed)?;
    let size = usize::try_from(u64::from_le_bytes(*size)).map_err(|_| DecodeError::Malformed)?;
    if size > limits::SNAPSHOT_BYTES {
        return Err(DecodeError::Malformed);
    }
    let plain = zstd::bulk::decompress(packed, size).map_err(|_| DecodeError::Malformed)?;
    Till::from_snapshot(&plain)
}

fn pack_snapshot(till: &Till) -> Vec<u8> {
    let plain = till.to_snapshot();
    let mut packed = (plain.len() as u64).to_le_bytes().to_vec();
    let compressed = zstd::bulk::compress(&plain, SNAPSHOT_ZSTD_LEVEL);
    packed.extend(compressed.expect("compressing memory into memory can't fail"));
    packed
}

/// Makes a folder's entries durable: a new file's name is in its folder, not in itself.
pub(crate) fn sync_folder(file: &Path) -> std::io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::File::open(folder)?.sync_all()
}

/// Whether a file is a ledger that this program knows.
pub(crate) fn check_format(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let pragma = |name: &str| {
        let value = connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        value.map_err(|error| describe(path, &error))
    };
    let (format, application) = (pragma("user_version")?, pragma("application_id")?);
    let tables = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0));
    if tables.map_err(|error| describe(path, &error))? > 0 && application != APPLICATION_ID {
        return Err(OpenError::NotALedger { path: path.to_owned() });
    }
    if format > FORMAT {
        return Err(OpenError::Newer { path: path.to_owned(), found: format, known: FORMAT });
    }
    Ok(())
}

fn describe(path: &Path, error: &rusqlite::Error) -> OpenError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => OpenError::NotALedger { path: path.to_owned() },
        _ => OpenError::Io { path: path.to_owned(), reason: error.to_string() },
    }
}
