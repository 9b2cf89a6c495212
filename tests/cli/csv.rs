//! Tables as a reader of RFC 4180 sees them.

use std::collections::BTreeMap;

/// A row, by column.
pub(crate) type Row = BTreeMap<String, String>;

/// The rows below the first, which names the columns.
#[track_caller]
pub(crate) fn rows(text: &str) -> Vec<Row> {
    let mut records = records(text).into_iter();
    let head = records.next().unwrap();
    let row = |cells: Vec<String>| {
        assert_eq!(cells.len(), head.len(), "{cells:?}");
        head.iter().cloned().zip(cells).collect()
    };
    records.map(row).collect()
}

fn records(text: &str) -> Vec<Vec<String>> {
    let mut records = Vec::new();
    let (mut record, mut cell) = (Vec::new(), String::new());
    let mut signs = text.chars().peekable();
    let mut quoted = false;
    while let Some(sign) = signs.next() {
        match sign {
            '"' if quoted && signs.peek() == Some(&'"') => cell.extend(signs.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut cell)),
            '\r' if !quoted => {
                assert_eq!(signs.next(), Some('\n'), "a line ends in CR LF");
                record.push(std::mem::take(&mut cell));
                records.push(std::mem::take(&mut record));
            }
            '\n' if !quoted => panic!("a line end alone, behind {record:?}"),
            sign => cell.push(sign),
        }
    }
    assert!(
        !quoted && record.is_empty() && cell.is_empty(),
        "the last line is whole"
    );
    records
}
