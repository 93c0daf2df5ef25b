//! Tracks as lavaplayer writes them: one binary message in base64, which says where the track stands as well.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::catalogue::Track;

/// The newest form of the message; older ones lack some of the texts.
const VERSION: u8 = 3;
/// Says in the header that the message starts with its version.
const VERSIONED: u32 = 1 << 30;
/// The sources whose tracks are written with the name of a container after them.
const PROBED: [&str; 2] = ["http", "local"];

/// The track as it stands at `position` milliseconds.
pub(crate) fn encode(track: &Track, position: u64) -> String {
    let mut body = vec![VERSION];
    text(&mut body, &track.title);
    text(&mut body, &track.author);
    body.extend(track.written_length().to_be_bytes());
    text(&mut body, &track.identifier);
    body.push(u8::from(track.stream));
    for nullable in [&track.uri, &track.artwork_url, &track.isrc] {
        body.push(u8::from(nullable.is_some()));
        if let Some(nullable) = nullable {
            text(&mut body, nullable);
        }
    }
    text(&mut body, &track.source);
    if PROBED.contains(&track.source.as_str()) {
        text(&mut body, "mp3");
    }
    body.extend(position.to_be_bytes());
    let header = VERSIONED | u32::try_from(body.len()).unwrap_or(0);
    let mut message = header.to_be_bytes().to_vec();
    message.append(&mut body);
    STANDARD.encode(message)
}

/// The track and its position in milliseconds; nothing where it is no track of a form that is known.
pub(crate) fn decode(encoded: &str) -> Option<(Track, u64)> {
    let bytes = STANDARD.decode(encoded).ok()?;
    let mut rest = bytes.as_slice();
    let header = u32::from_be_bytes(take(&mut rest)?);
    let length = usize::try_from(header & (VERSIONED - 1)).ok()?;
    if rest.len() != length {
        return None;
    }
    let version = match header & VERSIONED {
        0 => 1,
        _ => u8::from_be_bytes(take(&mut rest)?),
    };
    if !(1..=VERSION).contains(&version) {
        return None;
    }
    let title = read_text(&mut rest)?;
    let author = read_text(&mut rest)?;
    let length = u64::from_be_bytes(take(&mut rest)?);
    let identifier = read_text(&mut rest)?;
    let stream = read_flag(&mut rest)?;
    let mut nullable = |since: u8| match version >= since && read_flag(&mut rest)? {
        true => Some(Some(read_text(&mut rest)?)),
        false => Some(None),
    };
    let (uri, artwork_url, isrc) = (nullable(2)?, nullable(3)?, nullable(3)?);
    let source = read_text(&mut rest)?;
    if PROBED.contains(&source.as_str()) {
        read_text(&mut rest)?;
    }
    let position = u64::from_be_bytes(take(&mut rest)?);
    let track = Track {
        identifier,
        title,
        author,
        length,
        source,
        uri,
        stream,
        artwork_url,
        isrc,
    };
    rest.is_empty().then_some((track, position))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk()?;
    *rest = left;
    Some(*taken)
}

fn read_flag(rest: &mut &[u8]) -> Option<bool> {
    match u8::from_be_bytes(take(rest)?) {
        0 => Some(false),
        1 => Some(true),
        _ => None,
    }
}

/// Java's text: its length in bytes, then each UTF-16 unit on its own in up to three bytes, zero in two.
fn text(out: &mut Vec<u8>, text: &str) {
    let mut bytes = Vec::with_capacity(text.len());
    for unit in text.encode_utf16() {
        let [high, low] = unit.to_be_bytes();
        match unit {
            1..=0x7f => bytes.push(low),
            0..=0x7ff => bytes.extend([0xc0 | (high << 2) | (low >> 6), 0x80 | (low & 0x3f)]),
            _ => bytes.extend([
                0xe0 | (high >> 4),
                0x80 | ((high & 0xf) << 2) | (low >> 6),
                0x80 | (low & 0x3f),
            ]),
        }
    }
    // What is too long for the form is cut, so that the message stays one; no title is.
    bytes.truncate(usize::from(u16::MAX));
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    out.extend(length.to_be_bytes());
    out.append(&mut bytes);
}

fn read_text(rest: &mut &[u8]) -> Option<String> {
    let length = usize::from(u16::from_be_bytes(take(rest)?));
    let (mut bytes, left) = rest.split_at_checked(length)?;
    *rest = left;
    let mut units = Vec::with_capacity(length);
    while let Some((first, more)) = bytes.split_first() {
        let follow = |at: usize| {
            let byte = *more.get(at)?;
            (byte & 0xc0 == 0x80).then_some(u16::from(byte & 0x3f))
        };
        let first = u16::from(*first);
        let (unit, used) = match first {
            0..=0x7f => (first, 0),
            0xc0..=0xdf => ((first & 0x1f) << 6 | follow(0)?, 1),
            0xe0..=0xef => ((first & 0xf) << 12 | follow(0)? << 6 | follow(1)?, 2),
            _ => return None,
        };
        units.push(unit);
        bytes = more.get(used..)?;
    }
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the official documentation.
    const OFFICIAL: &str = "QAAAjQIAJVJpY2sgQXN0bGV5IC0gTmV2ZXIgR29ubmEgR2l2ZSBZb3UgVXAADlJpY2tBc3RsZXlWRVZPAAAAAAADPCAAC2RRdzR3OVdnWGNRAAEAK2h0dHBzOi8vd3d3LnlvdXR1YmUuY29tL3dhdGNoP3Y9ZFF3NHc5V2dYY1EAB3lvdXR1YmUAAAAAAAAAAA==";

    #[test]
    fn the_official_example_is_read() {
        let (track, position) = decode(OFFICIAL).unwrap();
        assert_eq!(track.identifier, "dQw4w9WgXcQ");
        assert_eq!(track.title, "Rick Astley - Never Gonna Give You Up");
        assert_eq!(track.author, "RickAstleyVEVO");
        assert_eq!(track.length, 212_000);
        assert_eq!(track.source, "youtube");
        assert_eq!(
            track.uri.as_deref(),
            Some("https://www.youtube.com/watch?v=dQw4w9WgXcQ")
        );
        assert!(!track.stream);
        assert_eq!(position, 0);
    }

    #[test]
    fn every_text_comes_back() {
        let track = Track {
            title: "Zero \0, Ångström, 夜, 🎵".into(),
            artwork_url: Some(String::new()),
            isrc: Some("GBARL9300135".into()),
            source: "http".into(),
            ..Track::new("an identifier", 61_000)
        };
        assert_eq!(decode(&encode(&track, 1_234)), Some((track, 1_234)));
    }

    #[test]
    fn a_position_changes_the_encoding() {
        let track = Track::new("one", 1_000);
        assert_ne!(encode(&track, 0), encode(&track, 1));
    }

    #[test]
    fn what_is_cut_or_longer_is_refused() {
        let whole = STANDARD.decode(encode(&Track::new("one", 1), 0)).unwrap();
        for length in 0..whole.len() {
            assert_eq!(decode(&STANDARD.encode(&whole[..length])), None);
        }
        let longer = [whole.as_slice(), &[0]].concat();
        assert_eq!(decode(&STANDARD.encode(longer)), None);
        assert_eq!(decode("no base64"), None);
    }
}
