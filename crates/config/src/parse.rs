//! From a file's text to its values; what is wrong is named with its line, and with the key that was
//! probably meant.

use std::ops::Range;

use dalsegno::{Error, ErrorKind, Result};

use crate::source::Source;
use crate::values::Values;

/// Keys less alike than this are no help.
const ALIKE: f64 = 0.7;

/// Reads the values of a file.
///
/// # Errors
/// `InvalidInput`: the message names the file, the line and the column.
pub(crate) fn parse(source: &Source) -> Result<Values> {
    toml::from_str(&source.text).map_err(|error| {
        let message = explain(error.message());
        at(source, error.span(), &message)
    })
}

/// An error about a place in the file.
pub(crate) fn at(source: &Source, span: Option<Range<usize>>, message: &str) -> Error {
    let file = source.found.display();
    let place = span.map_or_else(String::new, |span| {
        let before = source.text.get(..span.start).unwrap_or_default();
        let column = before
            .rsplit('\n')
            .next()
            .unwrap_or_default()
            .chars()
            .count()
            + 1;
        format!(":{}:{column}", line(source, &span))
    });
    Error::new(ErrorKind::InvalidInput, format!("{file}{place}: {message}"))
}

/// The line in which a span begins, counted from 1.
pub(crate) fn line(source: &Source, span: &Range<usize>) -> usize {
    let before = source.text.get(..span.start).unwrap_or_default();
    before.matches('\n').count() + 1
}

/// Serde's message, and for unknown keys the one that is most alike.
fn explain(message: &str) -> String {
    let Some(rest) = message.strip_prefix("unknown field `") else {
        return message.trim_end().replace('\n', "; ");
    };
    // A key may have any characters; those that are known have none that quote.
    let Some((key, known)) = rest.rsplit_once("`, expected ") else {
        return format!("unknown key '{}'", rest.trim_end_matches('`'));
    };
    let known: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    let closest = known
        .iter()
        .map(|known| (strsim::jaro_winkler(key, known), known))
        .filter(|(alike, _)| *alike >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let key = key.escape_debug();
    match closest {
        Some((_, closest)) => format!("unknown key '{key}': did you mean '{closest}'?"),
        None => format!("unknown key '{key}': there are {}", known.join(", ")),
    }
}
