//! What httpbin says it was sent.

use mite::{Config, Context, journey, testing};
use serde_json::{Value, json};
use tests::httpbin::Httpbin;

fn config() -> Config {
    let mut config = Config::default();
    config.set("base_url", Httpbin::shared().url());
    config
}

#[journey]
async fn query(ctx: &Context) -> mite::Result {
    let answer = ctx.http().get("/get").query(&[("q", "a b&c=ü")]);
    let told: Value = answer.header("x-trace", "7").send().await?.json()?;
    mite::ensure!(told["args"] == json!({ "q": "a b&c=ü" }), "{told}");
    mite::ensure!(told["headers"]["X-Trace"] == "7", "{told}");
    Ok(())
}

#[tokio::test]
async fn queries_and_headers_arrive_as_they_were_given() {
    let recorded = testing::run_with::<query>((), config()).await;
    recorded.result().unwrap();
}

#[journey]
async fn bodies(ctx: &Context) -> mite::Result {
    let http = ctx.http();
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let path = format!("/{}", method.to_lowercase());
        let value = json!({ "name": "Ada", "letters": [1, 2] });
        let request = http.request(method.parse()?, &path).json(&value);
        let told: Value = request.send().await?.json()?;
        mite::ensure!(told["json"] == value, "{told}");
    }
    let form = [("name", "Ada L"), ("again", "&="), ("again", "2")];
    let told: Value = http.post("/post").form(&form).send().await?.json()?;
    let wanted = json!({ "name": "Ada L", "again": ["&=", "2"] });
    mite::ensure!(told["form"] == wanted, "{told}");
    let told: Value = http.post("/post").body("plain").send().await?.json()?;
    mite::ensure!(told["data"] == "plain", "{told}");
    Ok(())
}

#[tokio::test]
async fn bodies_arrive_as_they_were_given() {
    let recorded = testing::run_with::<bodies>((), config()).await;
    recorded.result().unwrap();
    assert_eq!(recorded.exchanges().len(), 6);
}

#[journey]
async fn sign_in(ctx: &Context) -> mite::Result {
    let http = ctx.http();
    let path = "/basic-auth/ada/secret";
    http.get(path).send().await?.expect_status(401)?;
    let told: Value = http
        .get(path)
        .basic_auth("ada", Some("secret"))
        .send()
        .await?
        .expect_status(200)?
        .json()?;
    mite::ensure!(told["user"] == "ada", "{told}");
    let told: Value = http
        .get("/bearer")
        .bearer_auth("token-7")
        .send()
        .await?
        .json()?;
    mite::ensure!(told["token"] == "token-7", "{told}");
    Ok(())
}

#[tokio::test]
async fn basic_and_bearer_authentication_are_accepted() {
    let recorded = testing::run_with::<sign_in>((), config()).await;
    recorded.result().unwrap();
}
