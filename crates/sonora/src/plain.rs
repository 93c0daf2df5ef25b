//! What cannot be read of JSON, in words for people.

use std::fmt::Display;

/// As much of a text is said.
const SHOWN: usize = 60;

/// Why a value could not be read, as its reader says it, in plain words.
pub(crate) fn plain(error: impl Display) -> String {
    let said = error.to_string();
    let kinds = ["invalid type: ", "invalid value: "];
    let types = kinds.into_iter().find_map(|kind| said.strip_prefix(kind));
    match types.and_then(|types| types.rsplit_once(", expected ")) {
        Some((is, should)) => format!("it is {}, and should be {}", found(is), wanted(should)),
        None => said,
    }
}

fn found(word: &str) -> String {
    if let Some(text) = word.strip_prefix("string ") {
        let shown: String = text.chars().take(SHOWN).collect();
        return format!("the text {shown}");
    }
    let value = |kind| word.strip_prefix(kind).map(|it: &str| it.replace('`', ""));
    let number = value("integer ").or_else(|| value("floating point "));
    if let Some(number) = number {
        return format!("the number {number}");
    }
    match word {
        "map" => "an object".to_owned(),
        "sequence" => "a list".to_owned(),
        "unit value" | "Option value" => "null".to_owned(),
        word => value("boolean ").unwrap_or_else(|| word.to_owned()),
    }
}

fn wanted(word: &str) -> &str {
    match word {
        "a string" | "string" => "text",
        "a boolean" => "true or false",
        "a map" | "map" => "an object",
        "a sequence" => "a list",
        "u8" | "u16" | "u32" | "u64" | "usize" | "i64" => {
            "a whole number that is not too large, nor below what it can be"
        }
        "f32" | "f64" => "a number",
        word if word.starts_with("struct ") => "an object",
        word => word,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only what it is refused for is looked at")]
    struct Thing {
        a: u8,
    }

    fn said<T: DeserializeOwned + std::fmt::Debug>(value: &Value) -> String {
        plain(T::deserialize(value).unwrap_err())
    }

    #[test]
    fn no_word_of_a_programming_language_is_said() {
        for (said, expected) in [
            (
                said::<String>(&json!({})),
                "it is an object, and should be text",
            ),
            (
                said::<String>(&json!([])),
                "it is a list, and should be text",
            ),
            (
                said::<String>(&json!(null)),
                "it is null, and should be text",
            ),
            (
                said::<bool>(&json!("yes")),
                "it is the text \"yes\", and should be true or false",
            ),
            (
                said::<String>(&json!(true)),
                "it is true, and should be text",
            ),
            (
                said::<Vec<u8>>(&json!(1.5)),
                "it is the number 1.5, and should be a list",
            ),
            (
                said::<Thing>(&json!(7)),
                "it is the number 7, and should be an object",
            ),
            (
                said::<BTreeMap<String, u8>>(&json!(7)),
                "it is the number 7, and should be an object",
            ),
            (
                said::<Thing>(&json!({"a": -1})),
                "it is the number -1, and should be a whole number that is not too large, nor below what it can be",
            ),
        ] {
            assert_eq!(said, expected);
        }
        let long = said::<bool>(&json!("la ".repeat(1_000)));
        assert!(long.len() < 120, "{long}");
    }
}
