//! What is read from files, and the exact words for what cannot be.

use std::{io::Write, path::PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::{NamedTempFile, TempDir};

use crate::{
    config::Config,
    datapool::{DataPool, Once, Recyclable},
};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct User {
    name: String,
    age: u8,
    plan: Option<Plan>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Plan {
    Free,
    Paid,
}

fn user(name: &str, age: u8, plan: Option<Plan>) -> User {
    let name = name.to_owned();
    User { name, age, plan }
}

fn file(content: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(content).unwrap();
    file
}

async fn all<P: DataPool>(mut pool: P) -> Result<Vec<P::Item>, String> {
    let opened = pool.open(&Config::default()).await;
    opened.map_err(|error| error.to_string())?;
    let checkout = pool.checkout(1000).await.map_err(|e| e.to_string())?;
    assert!(checkout.exhausted);
    Ok(checkout.items.into_iter().map(|(_, item)| item).collect())
}

/// The message for a bad file, `FILE` in the place of its path; both kinds of pool must agree.
async fn complaint<T>(content: &[u8], json: bool) -> String
where
    T: Serialize + serde::de::DeserializeOwned + Send + std::fmt::Debug + 'static,
{
    let file = file(content);
    let path = file.path();
    let (recyclable, once) = if json {
        let recyclable = Recyclable::<T>::from_json_lines(path);
        (
            all(recyclable).await,
            all(Once::<T>::from_json_lines(path)).await,
        )
    } else {
        let recyclable = Recyclable::<T>::from_csv(path);
        (all(recyclable).await, all(Once::<T>::from_csv(path)).await)
    };
    let message = recyclable.unwrap_err();
    assert_eq!(message, once.unwrap_err());
    message.replace(&path.display().to_string(), "FILE")
}

async fn csv(content: &str) -> String {
    complaint::<User>(content.as_bytes(), false).await
}

async fn json(content: &str) -> String {
    complaint::<User>(content.as_bytes(), true).await
}

#[tokio::test]
async fn rows_become_items_by_the_names_of_their_columns() {
    let file = file(
        "\u{feff}age, name ,ignored,plan\r\n 30 ,\"Ada, \"\"the\"\" first\",x,free\r\n\r\n31,Bob,,\r\n"
            .as_bytes(),
    );
    let expected = [
        user("Ada, \"the\" first", 30, Some(Plan::Free)),
        user("Bob", 31, None),
    ];
    assert_eq!(
        all(Recyclable::<User>::from_csv(file.path()))
            .await
            .unwrap(),
        expected
    );
    assert_eq!(
        all(Once::<User>::from_csv(file.path())).await.unwrap(),
        expected
    );
}

#[tokio::test]
async fn rows_become_tuples_by_position() {
    let file = file(b"code,value\nA,5\nB,7\n");
    let rows = all(Once::<(String, u32)>::from_csv(file.path())).await;
    assert_eq!(rows.unwrap(), [("A".to_owned(), 5), ("B".to_owned(), 7)]);
}

#[tokio::test]
async fn lines_of_json_become_items() {
    let file = file(
        b"{\"name\": \"Ada\", \"age\": 30, \"plan\": \"paid\"}\n\n  \r\n{\"age\":31,\"name\":\"Bob\"}",
    );
    let expected = [user("Ada", 30, Some(Plan::Paid)), user("Bob", 31, None)];
    let recyclable = Recyclable::<User>::from_json_lines(file.path());
    assert_eq!(all(recyclable).await.unwrap(), expected);
    assert_eq!(
        all(Once::<User>::from_json_lines(file.path()))
            .await
            .unwrap(),
        expected
    );
}

#[tokio::test]
async fn a_bad_value_in_a_row_is_named_by_line_and_column() {
    assert_eq!(
        csv("name,age,plan\nAda,30,\n\"B\no\nb\",31,free\nCy,old,free\n").await,
        "FILE, line 6, field `age`: invalid digit found in string"
    );
    assert_eq!(
        csv("age,plan,name\n300,,Ada\n").await,
        "FILE, line 2, field `age`: number too large to fit in target type"
    );
    assert_eq!(
        csv("name,age,plan\nAda,30,gold\n").await,
        "FILE, line 2, field `plan`: unknown variant `gold`, expected `free` or `paid`"
    );
    assert_eq!(
        csv("x,name,plan,age\n1,Ada,free,30\n1,Ada,,\n").await,
        "FILE, line 3, field `age`: cannot parse integer from empty string"
    );
    let plans = complaint::<(u8, Plan)>(b"code,plan\n5,gold\n", false).await;
    assert_eq!(
        plans,
        "FILE, line 2, field `plan`: unknown variant `gold`, expected `free` or `paid`"
    );
    let tuple = complaint::<(String, u32)>(b"code,value\nA,5\nB,x\n", false).await;
    assert_eq!(
        tuple,
        "FILE, line 3, field `value`: invalid digit found in string"
    );
}

#[tokio::test]
async fn a_row_of_the_wrong_length_is_named_by_line() {
    assert_eq!(
        csv("name,age,plan\nAda,30,\nBob,31\n").await,
        "FILE, line 3: this row has 2 fields, the header 3: `name`, `age`, `plan`"
    );
    assert_eq!(
        csv("name,age,plan\nAda,30,free,x\n").await,
        "FILE, line 2: this row has 4 fields, the header 3: `name`, `age`, `plan`"
    );
}

#[tokio::test]
async fn a_missing_column_is_named_with_those_there_are() {
    assert_eq!(
        csv("name, years\nAda,30\n").await,
        "FILE has no column `age`; its columns are `name`, `years`"
    );
}

#[tokio::test]
async fn bytes_that_are_not_utf8_are_named_by_line_and_column() {
    assert_eq!(
        complaint::<User>(b"name,age\nAda,30\nB\xf8b,31\n", false).await,
        "FILE, line 3, field `name`: not UTF-8"
    );
    assert_eq!(
        complaint::<User>(b"name,\xff\nAda,30\n", false).await,
        "FILE, line 1: not UTF-8"
    );
    assert_eq!(
        complaint::<User>(b"\n{\"name\": \"\xff\"}\n", true).await,
        "FILE, line 2: not UTF-8"
    );
}

#[tokio::test]
async fn a_file_without_items_is_an_error() {
    assert_eq!(
        csv("").await,
        "FILE is empty; its first line must name the columns"
    );
    assert_eq!(csv("name,age\n\n").await, "FILE has a header but no rows");
    assert_eq!(json("\n \n").await, "FILE has no lines with data");
}

#[tokio::test]
async fn bad_json_is_named_by_line_column_and_field() {
    let good = r#"{"name": "Ada", "age": 30}"#;
    assert_eq!(
        json(&format!("{good}\n\n{{\"name\": \"Bob\" \"age\": 31}}\n")).await,
        "FILE, line 3, column 16: expected `,` or `}`"
    );
    assert_eq!(
        json(&format!("{good}\n{{\"name\": \"Bob\", \"age\": \"31\"}}")).await,
        "FILE, line 2, column 27, field `age`: invalid type: string \"31\", expected u8"
    );
    assert_eq!(
        complaint::<Vec<(User,)>>(br#"[[{"name": "Bob", "age": -1}]]"#, true).await,
        "FILE, line 1, column 27, field `[0][0].age`: invalid value: integer `-1`, expected u8"
    );
    assert_eq!(
        json(r#"{"name": "Bob", "age": 1, "plan": "gold"}"#).await,
        "FILE, line 1, column 40, field `plan`: unknown variant `gold`, expected `free` or `paid`"
    );
    assert_eq!(
        json(r#"{"name": "Bob"}"#).await,
        "FILE, line 1, column 15: missing field `age`"
    );
    assert_eq!(
        json(&format!("{good} {good}")).await,
        "FILE, line 1, column 28: trailing characters"
    );
    assert_eq!(
        json("{\"name\":\n\"Bob\", \"age\": 31}").await,
        "FILE, line 1, column 8: EOF while parsing a value"
    );
}

#[tokio::test]
async fn a_missing_file_is_named_with_the_place_looked_at() {
    let here = std::env::current_dir().unwrap();
    let message = all(Recyclable::<User>::from_csv("no/such.csv")).await;
    assert_eq!(
        message.unwrap_err(),
        format!(
            "no/such.csv cannot be opened: No such file or directory (os error 2) (looked for \
             {here}/no/such.csv; the current directory is {here})",
            here = here.display()
        )
    );
}

#[tokio::test]
async fn a_directory_is_not_a_file() {
    let directory = TempDir::new().unwrap();
    let path: PathBuf = directory.path().into();
    for message in [
        all(Once::<User>::from_csv(&path)).await.unwrap_err(),
        all(Once::<User>::from_json_lines(&path)).await.unwrap_err(),
    ] {
        assert_eq!(
            message.replace(&path.display().to_string(), "FILE"),
            "FILE cannot be read: Is a directory (os error 21)"
        );
    }
}

#[tokio::test]
async fn a_pool_can_be_made_before_its_file_is_there() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("late.csv");
    let pool = Once::<(u8,)>::from_csv(&path);
    std::fs::write(&path, "n\n1\n").unwrap();
    assert_eq!(all(pool).await, Ok(vec![(1,)]));
}

/// Values one after the other, as journeys record them.
fn packed<T: Serialize>(values: &[T]) -> Vec<u8> {
    let packed = values
        .iter()
        .map(|value| rmp_serde::to_vec_named(value).unwrap());
    packed.collect::<Vec<_>>().concat()
}

#[tokio::test]
async fn recorded_values_become_items() {
    let users = [user("Ada", 30, Some(Plan::Paid)), user("Bob", 31, None)];
    let file = file(&packed(&users));
    let recyclable = Recyclable::<User>::from_msgpack(file.path());
    assert_eq!(all(recyclable).await.unwrap(), users);
    let once = Once::<User>::from_msgpack(file.path());
    assert_eq!(all(once).await.unwrap(), users);
    let numbers = self::file(&packed(&[(1_u8, 0.5_f32), (2, 1.5)]));
    let once = Once::<(u32, f64)>::from_msgpack(numbers.path());
    assert_eq!(all(once).await.unwrap(), [(1, 0.5), (2, 1.5)]);
}

async fn wrong_values(content: &[u8]) -> String {
    let file = file(content);
    let path = file.path();
    let message = all(Recyclable::<User>::from_msgpack(path))
        .await
        .unwrap_err();
    let once = all(Once::<User>::from_msgpack(path)).await.unwrap_err();
    assert_eq!(message, once);
    message.replace(&path.display().to_string(), "FILE")
}

#[tokio::test]
async fn recorded_values_that_are_no_items_are_named_by_number_and_field() {
    let good = packed(&[user("Ada", 30, None)]);
    assert_eq!(wrong_values(b"").await, "FILE has no items");
    let old = packed(&[serde_json::json!({"name": "Ada", "age": 300, "plan": null})]);
    assert_eq!(
        wrong_values(&[&good[..], &old].concat()).await,
        format!(
            "FILE, item 2 (it begins at byte {}), field `age`: invalid value: integer `300`, \
             expected u8",
            good.len()
        )
    );
    let cut = wrong_values(&[&good[..], &good[..good.len() - 1]].concat()).await;
    assert!(
        cut.contains("item 2") && cut.contains("the file ends in the middle"),
        "{cut}"
    );
    for hostile in [
        &b"\xc1"[..],
        b"{\"name\": \"Ada\"}",
        b"\xdf\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
    ] {
        let message = wrong_values(hostile).await;
        assert!(
            message.starts_with("FILE, item 1 (it begins at byte 0)"),
            "{message}"
        );
    }
    let nested = vec![0x91; 100_000];
    let message = wrong_values(&nested).await;
    assert!(message.starts_with("FILE, item 1"), "{message}");
}
