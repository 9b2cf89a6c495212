//! What is sent after the head.

use std::{fs, path::PathBuf, time::Duration};

use futures_util::stream;
use mite::{
    Context,
    http::{
        Body,
        multipart::{Form, Part},
    },
    journey,
};
use serde_json::{Value, json};
use tests::{httpbin::Httpbin, nginx::Nginx};

use crate::run::{at, passes, statuses, told};

#[tokio::test]
async fn json_and_forms_arrive_as_they_were_given() {
    #[journey]
    async fn sends(ctx: &Context) -> mite::Result {
        let http = ctx.http();
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let path = format!("/{}", method.to_lowercase());
            let value = json!({ "name": "Ada", "letters": [1, 2] });
            http.request(method.parse()?, &path)
                .json(&value)
                .send()
                .await?;
        }
        let form = [("name", "Ada L"), ("again", "&="), ("again", "ü")];
        http.post("/post").form(&form).send().await?;
        Ok(())
    }
    let recorded = passes::<sends>((), at(Httpbin::shared().url())).await;
    assert_eq!(statuses(&recorded), [200; 5]);
    for index in 0..4 {
        let told = told(&recorded, index);
        assert_eq!(told["json"], json!({ "name": "Ada", "letters": [1, 2] }));
        assert_eq!(told["headers"]["Content-Type"], "application/json");
    }
    let told = told(&recorded, 4);
    assert_eq!(
        told["form"],
        json!({ "name": "Ada L", "again": ["&=", "ü"] })
    );
    let content_type = "application/x-www-form-urlencoded";
    assert_eq!(told["headers"]["Content-Type"], content_type);
}

#[tokio::test]
async fn text_and_bytes_arrive_as_they_were_given() {
    #[journey]
    async fn sends(ctx: &Context) -> mite::Result {
        let post = || ctx.http().post("/post");
        post().body("plain\r\n text").send().await?;
        post().body(vec![0, 255, 1]).send().await?;
        let typed = post().header("content-type", "text/csv").body("a;b");
        typed.send().await?;
        Ok(())
    }
    let recorded = passes::<sends>((), at(Httpbin::shared().url())).await;
    let [text, bytes, typed] = [0, 1, 2].map(|index| told(&recorded, index));
    assert_eq!(text["data"], "plain\r\n text");
    assert_eq!(text["headers"]["Content-Length"], "12");
    assert_eq!(text["headers"].get("Content-Type"), None);
    let encoded = "data:application/octet-stream;base64,AP8B";
    assert_eq!(bytes["data"], encoded);
    assert_eq!(
        (&typed["data"], &typed["headers"]["Content-Type"]),
        (&json!("a;b"), &json!("text/csv"))
    );
}

#[tokio::test]
async fn a_multipart_form_arrives_with_its_files() {
    #[journey]
    async fn sends(ctx: &Context, photo: PathBuf) -> mite::Result {
        let form = || {
            Form::new()
                .text("title", "On the beach")
                .file("photo", &photo)
                .part("notes", Part::text("# Day one").file_name("notes.md"))
        };
        ctx.http().post("/post").multipart(form()).send().await?;
        let lines = ["one\n", "two\n"].map(Ok::<_, String>);
        let streamed = Part::stream(stream::iter(lines)).file_name("lines.txt");
        let form = form().part("lines", streamed);
        ctx.http().post("/post").multipart(form).send().await?;
        Ok(())
    }
    let folder = tempfile::tempdir().unwrap();
    let photo = folder.path().join("beach.svg");
    fs::write(&photo, "<svg/>").unwrap();
    let recorded = passes::<sends>(photo, at(Httpbin::shared().url())).await;

    let [known, streamed] = [0, 1].map(|index| told(&recorded, index));
    let mut files = json!({ "photo": "<svg/>", "notes": "# Day one" });
    assert_eq!(
        (&known["form"], &known["files"]),
        (&json!({ "title": "On the beach" }), &files)
    );
    assert!(known["headers"].get("Content-Length").is_some(), "{known}");
    assert_eq!(known["headers"].get("Transfer-Encoding"), None);
    files["lines"] = json!("one\ntwo\n");
    assert_eq!(streamed["files"], files);
    assert_eq!(streamed["headers"]["Transfer-Encoding"], "chunked");
}

const MEBIBYTE: usize = 1 << 20;

#[tokio::test]
async fn a_large_file_arrives_whole_with_its_length() {
    #[journey]
    async fn uploads(ctx: &Context, file: PathBuf) -> mite::Result {
        ctx.http().put("/put").file(file).send().await?;
        Ok(())
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("large.txt");
    let content: String = ('a'..='z').cycle().take(MEBIBYTE).collect();
    fs::write(&file, &content).unwrap();
    let recorded = passes::<uploads>(file, at(Httpbin::shared().url())).await;

    let told = told(&recorded, 0);
    assert_eq!(told["headers"]["Content-Length"], MEBIBYTE.to_string());
    assert!(told["data"] == content.as_str(), "the content is another");
    let sent = recorded.exchanges()[0].timings.bytes_sent;
    assert!(
        (MEBIBYTE as u64 + 1..MEBIBYTE as u64 + 500).contains(&sent),
        "{sent}"
    );
}

#[tokio::test]
async fn a_stream_goes_in_chunks_unless_its_length_is_known() {
    #[journey]
    async fn streams(ctx: &Context) -> mite::Result {
        let pieces = || stream::iter(["one ", "two ", "", "three"].map(Ok::<_, String>));
        let post = |body| ctx.http().post("/post").body(body).send();
        post(Body::stream(pieces())).await?;
        post(Body::sized_stream(13, pieces())).await?;
        let error = post(Body::sized_stream(14, pieces())).await.unwrap_err();
        assert_eq!(error.kind(), "request");
        Ok(())
    }
    let recorded = passes::<streams>((), at(Httpbin::shared().url())).await;
    let [chunked, sized] = [0, 1].map(|index| told(&recorded, index));
    for told in [&chunked, &sized] {
        assert_eq!(told["data"], "one two three");
    }
    assert_eq!(chunked["headers"]["Transfer-Encoding"], "chunked");
    assert_eq!(chunked["headers"].get("Content-Length"), None);
    assert_eq!(sized["headers"].get("Transfer-Encoding"), None);
    assert_eq!(sized["headers"]["Content-Length"], "13");
}

#[tokio::test]
async fn a_body_waits_for_the_server_to_want_it() {
    #[journey]
    async fn asks_first(ctx: &Context) -> mite::Result {
        let send = |path| {
            let request = ctx.http().post(path).body(vec![b'x'; 100_000]);
            request.expect_continue().send()
        };
        send("/store").await?.expect_status(201)?;
        send("/full").await?.expect_status(507)?;
        Ok(())
    }
    let nginx = Nginx::with("location = /full { return 507; }");
    let recorded = passes::<asks_first>((), at(nginx.url())).await;
    let log = nginx.finish();

    let [wanted, unwanted] = &log.0[..] else {
        panic!("two requests: {log:?}");
    };
    assert_eq!((wanted.status, unwanted.status), (201, 507));
    assert!(wanted.request_length > 100_000, "{wanted:?}");
    assert!(unwanted.request_length < 500, "{unwanted:?}");
    // Without a word the body would have gone out a second later.
    let time = recorded.exchanges()[0].timings.total;
    assert!(time < Duration::from_secs(1), "{time:?}");
}

#[tokio::test]
async fn a_request_that_may_have_a_body_says_that_it_has_none() {
    #[journey]
    async fn sends_nothing(ctx: &Context) -> mite::Result {
        let http = ctx.http();
        http.post("/post").send().await?;
        http.put("/put").send().await?;
        http.patch("/patch").send().await?;
        http.get("/get").send().await?;
        http.delete("/delete").send().await?;
        Ok(())
    }
    let recorded = passes::<sends_nothing>((), at(Httpbin::shared().url())).await;
    let length = |index| -> Value { told(&recorded, index)["headers"]["Content-Length"].clone() };
    let lengths: Vec<_> = (0..5).map(length).collect();
    let zero = || json!("0");
    assert_eq!(lengths, [zero(), zero(), zero(), Value::Null, Value::Null]);
}
