//! The file of a snapshot, as Sonora 1.2.8 writes and reads it.

mod disk;
mod python_json;

use std::fmt::Write;

use dalsegno::{Error, ErrorKind, Result};
use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

pub use disk::{default_name, read_file, write_file};
pub use python_json::python_json;
use python_json::{Json, Text};

/// How many bytes a file may have: Sonora reads no more.
pub const MAX_FILE_SIZE: usize = 10 << 20;

/// The version that is written.
const VERSION: &str = "1.2.8";
/// The version of a file that does not say.
const OLDEST: &str = "1.2.0";
/// The first part of the newest version that is read.
const MAJOR: u64 = 1;

/// A snapshot's file: what its members say.
///
/// ```
/// use dalsegno_sonora::SnapshotFile;
/// use serde_json::json;
///
/// # fn main() -> dalsegno::Result<()> {
/// let mut file = SnapshotFile::new(123, 1_732_200_000.5);
/// file.data.insert("player".to_owned(), json!({"volume": 75, "paused": false}));
/// file.other.insert("name".to_owned(), json!("before the party"));
///
/// let text = file.write()?;
/// let again = SnapshotFile::read(text.as_bytes())?;
/// assert!(again.is_checked());
/// assert_eq!(again.data["player"]["volume"], 75);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SnapshotFile {
    /// Whose player it is of.
    pub guild_id: u64,
    /// When it was taken, in seconds since 1970.
    pub timestamp: f64,
    /// The version of Sonora that it is for.
    pub version: String,
    /// The player, its queue, its filters, and what else there is.
    pub data: Map<String, Value>,
    /// What else the file says about itself: `name`, `description`, `metadata`, or what others add.
    pub other: Map<String, Value>,
    /// The checksum that it was read with; [`write`](Self::write) calculates a new one.
    pub checksum: Option<String>,
}

impl SnapshotFile {
    /// A file without data.
    #[must_use]
    pub fn new(guild_id: u64, timestamp: f64) -> Self {
        Self {
            guild_id,
            timestamp,
            version: VERSION.to_owned(),
            data: Map::new(),
            other: Map::new(),
            checksum: None,
        }
    }

    /// A file of what was taken at a moment.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        reason = "exact to less than a microsecond"
    )]
    pub fn taken(guild_id: u64, at: Timestamp, data: Map<String, Value>) -> Self {
        Self {
            data,
            ..Self::new(guild_id, at.as_microsecond() as f64 / 1e6)
        }
    }

    /// Whether it was read with a checksum, which was right. Files of other programs may have none.
    #[must_use]
    pub fn is_checked(&self) -> bool {
        self.checksum.is_some()
    }

    /// Reads the text of a file of Sonora 1.
    ///
    /// # Errors
    /// `InvalidInput` where it is no such file, too large, or of a newer Sonora; `Damaged` where its checksum is of
    /// another content.
    pub fn read(text: &[u8]) -> Result<Self> {
        check_size(text.len())?;
        refuse_mark(text)?;
        let text = std::str::from_utf8(text).map_err(|e| invalid(format!("no text: {e}")))?;
        let Json::Object(mut members) = Json::read(text)? else {
            return Err(invalid("it is no object"));
        };
        let checksum = take(&mut members, "checksum");
        let whole = Json::Object(members);
        let checksum = prove(checksum, &whole)?;
        let Value::Object(mut members) = whole.into_value() else {
            return Err(invalid("it is no object"));
        };
        let version = version(members.shift_remove("version"))?;
        let mut member = |name: &str| {
            let value = members.shift_remove(name);
            value.ok_or_else(|| invalid(format!("{name} is missing")))
        };
        let (guild_id, timestamp) = (guild(&member("guild_id")?)?, time(&member("timestamp")?)?);
        let Value::Object(data) = member("data")? else {
            return Err(invalid("data is no object"));
        };
        Ok(Self {
            guild_id,
            timestamp,
            version,
            data,
            other: members,
            checksum,
        })
    }

    /// Its text, indented, with its checksum. Sonora 1.2.8 accepts it.
    ///
    /// # Errors
    /// `InvalidInput` where it is larger or nested deeper than Sonora reads.
    pub fn write(&self) -> Result<String> {
        let mut members: Vec<(Text, Json)> = vec![
            ("guild_id".into(), Json::Int(self.guild_id.to_string())),
            ("timestamp".into(), Json::Float(self.timestamp)),
            ("version".into(), Json::Text(self.version.as_str().into())),
        ];
        let mut data = Vec::new();
        for (key, value) in &self.data {
            data.push((key.as_str().into(), Json::of(value, 2)?));
        }
        members.push(("data".into(), Json::Object(data)));
        let own = ["guild_id", "timestamp", "version", "data", "checksum"];
        for (key, value) in self
            .other
            .iter()
            .filter(|(key, _)| !own.contains(&key.as_str()))
        {
            members.push((key.as_str().into(), Json::of(value, 1)?));
        }
        let mut whole = Json::Object(members);
        let checksum = checksum(&whole.sorted());
        if let Json::Object(members) = &mut whole {
            members.push(("checksum".into(), Json::Text(checksum.as_str().into())));
        }
        let text = whole.indented();
        check_size(text.len())?;
        Ok(text)
    }
}

/// The SHA-256 of a text, in hexadecimal digits.
#[must_use]
pub fn checksum(text: &str) -> String {
    let mut digits = String::with_capacity(64);
    for byte in Sha256::digest(text) {
        // Writing to a string does not fail.
        let _ = write!(digits, "{byte:02x}");
    }
    digits
}

/// The checksum of a file, where it has one and it is right.
fn prove(given: Option<Json>, content: &Json) -> Result<Option<String>> {
    let given = match given.map(Json::into_value) {
        Some(Value::String(given)) if !given.is_empty() => given,
        // Sonora lets these through, too.
        None | Some(Value::Null | Value::String(_)) => return Ok(None),
        Some(other) => return Err(invalid(format!("checksum is {other}, which is no text"))),
    };
    let found = checksum(&content.sorted());
    if found == given {
        return Ok(Some(given));
    }
    let message = format!(
        "the snapshot is damaged: its checksum says {given}, its content has {found}; load another one"
    );
    Err(Error::new(ErrorKind::Damaged, message))
}

fn take(members: &mut Vec<(Text, Json)>, name: &str) -> Option<Json> {
    let name = Text::from(name);
    let place = members.iter().position(|(key, _)| *key == name)?;
    Some(members.remove(place).1)
}

fn version(value: Option<Value>) -> Result<String> {
    let version = match value {
        None | Some(Value::Null) => OLDEST.to_owned(),
        Some(Value::String(version)) => version,
        Some(other) => return Err(invalid(format!("version is {other}, which is no text"))),
    };
    let major = version
        .split('.')
        .next()
        .and_then(|major| major.parse::<u64>().ok());
    match major.is_some_and(|major| major > MAJOR) {
        true => Err(invalid(format!(
            "it is of version {version}, which is newer than the {VERSION} that is known here; use a newer program"
        ))),
        false => Ok(version),
    }
}

fn guild(value: &Value) -> Result<u64> {
    let digits = value
        .as_str()
        .filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let id = value.as_u64().or_else(|| digits?.parse().ok());
    id.ok_or_else(|| invalid(format!("guild_id is {value}, which is no id")))
}

fn time(value: &Value) -> Result<f64> {
    let time = value.as_f64();
    time.ok_or_else(|| {
        invalid(format!(
            "timestamp is {value}, which is no number of seconds"
        ))
    })
}

fn check_size(size: usize) -> Result<()> {
    match size > MAX_FILE_SIZE {
        true => {
            let message = format!(
                "a snapshot of {size} bytes is larger than the {MAX_FILE_SIZE} bytes that a file may have"
            );
            Err(Error::new(ErrorKind::InvalidInput, message))
        }
        false => Ok(()),
    }
}

/// Editors write these marks, and no reader of JSON takes them.
fn refuse_mark(text: &[u8]) -> Result<()> {
    let found = match text {
        [0xef, 0xbb, 0xbf, ..] => "it begins with a byte order mark",
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => "it is UTF-16",
        _ => return Ok(()),
    };
    Err(invalid(format!(
        "{found}; save it again as UTF-8 without a byte order mark"
    )))
}

fn invalid(message: impl std::fmt::Display) -> Error {
    let message = format!("this is no snapshot that can be read: {message}");
    Error::new(ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests;
