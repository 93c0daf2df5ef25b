//! Where the token comes from: which layer says so, and which may.

use dalsegno::ErrorKind;
use dalsegno_config::{Config, Origin, TokenSource};

use crate::house::{House, mode};

fn token(house: &House) -> Option<(TokenSource, Origin)> {
    let token = house.load().config.token;
    token.map(|setting| (setting.value, setting.origin))
}

#[test]
fn options_and_variables_come_before_files_and_in_their_order() {
    let mut house = House::new();
    assert_eq!(token(&house), None);
    let user = house.user("[access]\ntoken_file = '../../t'\n");
    let file = TokenSource::File(house.path(".config/dalsegno/../../t"));
    let origin = Origin::User {
        file: user,
        line: 2,
    };
    assert_eq!(token(&house), Some((file, origin)));
    house.project("access.token_file = 't'");
    let file = TokenSource::File(house.path("project/t"));
    assert_eq!(token(&house).unwrap().0, file);
    house.variable("DALSEGNO_TOKEN_FILE", "");
    house.variable("DALSEGNO_TOKEN", "given");
    let variable = "DALSEGNO_TOKEN".to_owned();
    let origin = Origin::Environment { variable };
    assert_eq!(token(&house), Some((TokenSource::Variable, origin)));
    house.variable("DALSEGNO_TOKEN_FILE", "t");
    assert_eq!(token(&house).unwrap().0, TokenSource::File("t".into()));
    house.layers.flags.token_file = Some("flag".into());
    let flag = (TokenSource::File("flag".into()), Origin::Flag);
    assert_eq!(token(&house), Some(flag));
}

#[test]
fn a_token_file_that_anybody_could_have_named_is_refused() {
    let house = House::new();
    let file = house.project("access.token_file = 't'");
    mode(&file, 0o606);
    let error = Config::load(&house.layers).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Denied);
    let way = "name the token's file with --token-file";
    assert!(error.to_string().contains(way), "{error}");
}

#[test]
fn a_file_that_is_not_there_or_for_all_to_read_is_found() {
    let house = House::new();
    house.project("access.token_file = 't'");
    let said = |house: &House| {
        let findings = house.load().check();
        let messages: Vec<_> = findings.into_iter().map(|it| it.message).collect();
        messages.join("; ")
    };
    assert!(said(&house).contains("with the token cannot be found"));
    let file = house.write("project/t", "dalsegno-token-x");
    assert_eq!(said(&house), "");
    mode(&file, 0o644);
    assert!(said(&house).contains("can be read by everybody"));
}
