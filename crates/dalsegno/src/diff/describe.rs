//! What a person would call an item: a track by its title, a message by who said what.

use super::level::{Level, compact, string};

/// The members that say who speaks.
const WHO: [&str; 6] = ["role", "author", "speaker", "sender", "from", "user"];
/// The members that hold what is said.
const SAID: [&str; 4] = ["content", "text", "message", "body"];
/// The members that hold a track's artist.
const ARTIST: [&str; 3] = ["author", "artist", "uploader"];
/// How many characters a label has at most.
const WIDTH: usize = 72;
/// Of a value that is longer, this many bytes are looked at.
const LOOK: usize = 4 * WIDTH;

/// The label of an item.
pub(super) fn label(value: &[u8]) -> String {
    let Ok(level @ Level::Object(_)) = Level::of(value) else {
        return short(value);
    };
    titled(&level)
        .or_else(|| said(&level))
        .or_else(|| named(&level))
        .map_or_else(|| short(value), |text| cut(&text, WIDTH))
}

/// A value as the beginning of its compact JSON.
pub(super) fn short(value: &[u8]) -> String {
    let Some(head) = value.get(..LOOK) else {
        return cut(&compact(value).0, WIDTH);
    };
    // The cut may have gone through a letter.
    let text = compact(head).0;
    cut(
        &format!("{}…", text.trim_end_matches(char::REPLACEMENT_CHARACTER)),
        WIDTH,
    )
}

/// `Title — Author`, where the item or its `info` (as Lavalink has it) has a title.
fn titled(level: &Level<'_>) -> Option<String> {
    let info = level.member("info").and_then(|info| Level::of(info).ok());
    let of = |level: &Level<'_>| {
        let title = text(level, &["title"])?;
        let artist = text(level, &ARTIST);
        Some(artist.map_or(title.clone(), |artist| format!("{title} — {artist}")))
    };
    of(level).or_else(|| of(info.as_ref()?))
}

/// `who: what`, of a message.
fn said(level: &Level<'_>) -> Option<String> {
    let content = SAID.iter().find_map(|name| level.member(name))?;
    let words = match Level::of(content).ok()? {
        Level::List(parts) => parts
            .iter()
            .filter_map(|part| part_text(part))
            .collect::<Vec<_>>()
            .join(" "),
        _ => string(content)?,
    };
    Some(match who(level) {
        Some(who) => format!("{who}: {words}"),
        None => words,
    })
}

/// A part of a message: a string, or an object with a `text` or else a `type`.
fn part_text(part: &[u8]) -> Option<String> {
    string(part).or_else(|| {
        let level = Level::of(part).ok()?;
        text(&level, &["text"]).or_else(|| text(&level, &["type"]).map(|kind| format!("[{kind}]")))
    })
}

fn who(level: &Level<'_>) -> Option<String> {
    text(level, &WHO).or_else(|| {
        let person = WHO.iter().find_map(|name| level.member(name))?;
        text(&Level::of(person).ok()?, &["name", "username"])
    })
}

fn named(level: &Level<'_>) -> Option<String> {
    text(level, &["name", "label"])
}

/// The first of these members that is a string with something in it.
fn text(level: &Level<'_>, names: &[&str]) -> Option<String> {
    names
        .iter()
        .filter_map(|name| string(level.member(name)?))
        .find(|text| !text.trim().is_empty())
}

/// The first words of `text` on one line, at most `width` characters.
pub(super) fn cut(text: &str, width: usize) -> String {
    let mut line = String::new();
    let mut count = 0;
    for word in text.split_whitespace() {
        let gap = usize::from(count > 0);
        let long = word.chars().count();
        if count + gap + long <= width {
            line.extend((count > 0).then_some(' '));
            line.push_str(word);
            count += gap + long;
            continue;
        }
        // A long word is broken only where breaking before it would leave little.
        let room = width.saturating_sub(count + gap + 1);
        if count < width / 2 {
            line.extend((count > 0).then_some(' '));
            line.extend(word.chars().take(room));
        }
        line.push('…');
        return line;
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tracks_messages_and_the_rest() {
        for (item, expected) in [
            (
                r#"{"title":"So What","author":"Miles Davis"}"#,
                "So What — Miles Davis",
            ),
            (
                r#"{"encoded":"QAAA","info":{"title":"Naima","author":"John Coltrane"}}"#,
                "Naima — John Coltrane",
            ),
            (r#"{"title":"Untitled"}"#, "Untitled"),
            (
                r#"{"role":"user","content":"Is that\n dry   enough?"}"#,
                "user: Is that dry enough?",
            ),
            (
                r#"{"role":"assistant","content":[{"type":"image"},{"type":"text","text":"a pump"}]}"#,
                "assistant: [image] a pump",
            ),
            (
                r#"{"speaker":"Narrator","text":"It rains."}"#,
                "Narrator: It rains.",
            ),
            (r#"{"author":{"name":"Ada"},"content":"hi"}"#, "Ada: hi"),
            (r#"{"name":"rope","count":2}"#, "rope"),
            (r#"{"x": 1, "y": [2, 3]}"#, r#"{"x":1,"y":[2,3]}"#),
            (r#""blue train""#, r#""blue train""#),
            ("7", "7"),
            (r#"{"title":7}"#, r#"{"title":7}"#),
        ] {
            assert_eq!(label(item.as_bytes()), expected);
        }
    }

    #[test]
    fn labels_end() {
        let long = format!(
            "{{\"role\":\"user\",\"content\":\"{}\"}}",
            "word ".repeat(10_000)
        );
        let label = label(long.as_bytes());
        assert!(
            label.chars().count() <= WIDTH && label.ends_with("word…"),
            "{label}"
        );
        assert_eq!(cut(&"x".repeat(100), 10), format!("{}…", "x".repeat(9)));
        let odd = format!("[{}", "\u{e9}".repeat(1000));
        assert!(short(odd.as_bytes()).chars().count() <= WIDTH);
    }
}
