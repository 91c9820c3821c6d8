//! The page in a real browser, with real clicks: filters, evidence, and no request to any server.
//!
//! Drives headless Chromium through Debian's chromedriver, by the WebDriver protocol: plain HTTP and JSON.

#[path = "../../../../snapshots/fixed.rs"]
mod fixed;
#[path = "../../../../snapshots/stressed.rs"]
mod stressed;

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};
use shardproof::report;
use testbed::child::Running;
use testbed::http;
use testbed::port::{self, Port};
use testbed::program::Program;
use testbed::wait::{self, Probed};

use crate::support;

const WITHIN: Duration = Duration::from_secs(60);
/// Longest time until a page shows what a click does.
const SEEN_WITHIN: Duration = Duration::from_secs(10);

pub(crate) fn trials() -> Vec<Trial> {
    let driver = Program {
        name: "chromedriver".to_owned(),
        env: "SHARDPROOF_CHROMEDRIVER".to_owned(),
        install: "run `make browser`".to_owned(),
        package: None,
    };
    let presence = support::program("chromium", &driver);
    let trial = |name: &str, test: fn(&Program) -> Result<(), Failed>| {
        let driver = driver.clone();
        support::trial(name, presence.clone(), move || test(&driver))
    };
    vec![
        trial("page::filters-and-evidence-work-by-clicks", clicks),
        trial("page::tables-without-groups-are-filtered", filters),
    ]
}

fn clicks(driver: &Program) -> Result<(), Failed> {
    let page = report::html::conformance(&fixed::run());
    shown(driver, &page, async |browser| look(browser).await)
}

/// The pages of `chaos` and `matrix` have the same filters, and no groups.
fn filters(driver: &Program) -> Result<(), Failed> {
    let page = report::html::chaos(&stressed::chaos("some"));
    shown(driver, &page, async |browser| {
        let rows = browser.value(SHOWN).await?.as_u64().unwrap_or_default();
        if rows == 0 {
            return Err("no rows".into());
        }
        let count = "document.querySelector('#shown').textContent.split(' ')[0]";
        browser.expect(count, json!(rows.to_string())).await?;
        browser.type_into("#search", "no such row").await?;
        browser.expect(count, json!("0")).await?;
        browser.expect(SHOWN, json!(0)).await
    })
}

/// Opens a page in the browser.
fn shown(
    driver: &Program,
    text: &str,
    look: impl AsyncFnOnce(&Browser) -> Result<(), Failed>,
) -> Result<(), Failed> {
    let folder = tempfile::TempDir::new()?;
    let page = folder.path().join("page.html");
    std::fs::write(&page, text)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let browser = Browser::start(driver).await?;
        let page = format!("file://{}", page.display());
        let looked = match browser.open(&page).await {
            Ok(()) => look(&browser).await,
            Err(why) => Err(why),
        };
        browser.quit().await?;
        looked
    })
}

async fn look(browser: &Browser) -> Result<(), Failed> {
    browser
        .expect("document.title", json!("shardproof: conformance"))
        .await?;
    // Groups without a failure are folded.
    browser.expect(SHOWN, json!(7)).await?;
    browser.click("button.fold[aria-expanded=false]").await?;
    browser.expect(SHOWN, json!(8)).await?;

    browser.type_into("#search", "mget-missing").await?;
    browser.expect(SHOWN, json!(1)).await?;
    browser.expect(GROUPS, json!(["multi-key"])).await?;
    browser.type_into("#search", "").await?;
    browser.expect(SHOWN, json!(8)).await?;

    browser.click("button[data-status=broken]").await?;
    browser.expect(SHOWN, json!(2)).await?;
    browser.click("button[data-status=known]").await?;
    browser.expect(SHOWN, json!(4)).await?;
    browser
        .expect("location.hash", json!("#?status=broken%2Cknown"))
        .await?;
    browser.click("button[data-status=broken]").await?;
    browser.click("button[data-status=known]").await?;
    browser.expect(SHOWN, json!(8)).await?;
    // A link to a filter.
    browser
        .run("location.hash = '#?search=mget&status=broken'")
        .await?;
    browser.expect(SHOWN, json!(1)).await?;
    browser.run("location.hash = '#?'").await?;
    browser.expect(SHOWN, json!(8)).await?;

    browser
        .expect(
            "document.querySelectorAll('details[open]').length",
            json!(0),
        )
        .await?;
    browser.click("td a.broken").await?;
    browser
        .expect(
            "document.querySelector('details[open] .id').textContent",
            json!("multi-key/mget-missing-keys"),
        )
        .await?;
    browser.expect("document.querySelector('details[open] svg.sequence').getBoundingClientRect().width > 100", json!(true)).await?;
    browser
        .expect("performance.getEntriesByType('resource').length", json!(0))
        .await
}

const SHOWN: &str =
    "[...document.querySelectorAll('tr[data-case]')].filter(row => row.offsetParent).length";
const GROUPS: &str = "[...document.querySelectorAll('tr.group')].filter(row => row.offsetParent).map(row => row.querySelector('b').textContent)";

struct Browser {
    /// Ends with the test, and the browser with it.
    _driver: Running,
    addr: SocketAddr,
    session: String,
}

impl Browser {
    async fn start(driver: &Program) -> Result<Self, Failed> {
        let driver = support::search().find(driver)?;
        let taken = |why: &String| why.contains(ENDED);
        let started = port::retry_if_taken(taken, async || serving(&driver).await);
        let (driver, addr) = started.await?;
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--window-size=1200,900",
        ];
        let wanted =
            json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": arguments}}}});
        let session = call(addr, "/session", wanted).await?;
        let session = session["sessionId"].as_str().unwrap_or_default().to_owned();
        Ok(Self {
            _driver: driver,
            addr,
            session,
        })
    }

    /// Ends the browser, which would outlive its driver.
    async fn quit(&self) -> Result<(), Failed> {
        let path = format!("/session/{}", self.session);
        Ok(http::delete(self.addr, &path, WITHIN).await.map(drop)?)
    }

    async fn open(&self, url: &str) -> Result<(), Failed> {
        self.call("url", json!({"url": url})).await.map(drop)
    }

    async fn click(&self, selector: &str) -> Result<(), Failed> {
        let element = self.element(selector).await?;
        self.call(&format!("element/{element}/click"), json!({}))
            .await
            .map(drop)
    }

    /// Replaces the text of a field.
    async fn type_into(&self, selector: &str, text: &str) -> Result<(), Failed> {
        let element = self.element(selector).await?;
        // Select all, delete, type: as a person does, so that the page gets the events.
        let keys = format!("\u{e009}a\u{e000}\u{e017}{text}");
        self.call(&format!("element/{element}/value"), json!({"text": keys}))
            .await
            .map(drop)
    }

    /// Runs a statement.
    async fn run(&self, statement: &str) -> Result<(), Failed> {
        let script = json!({"script": format!("{statement};"), "args": []});
        self.call("execute/sync", script).await.map(drop)
    }

    /// Waits until an expression has this value: a page handles its events after the click.
    async fn expect(&self, expression: &str, expected: Value) -> Result<(), Failed> {
        let look = async || match self.value(expression).await {
            Ok(found) if found == expected => Probed::Break(()),
            Ok(found) => Probed::Continue(format!("{expression} is {found}")),
            Err(why) => Probed::Continue(why.message().unwrap_or_default().to_owned()),
        };
        let what = format!("{expression}: {expected}");
        let waited = wait::eventually(&what, SEEN_WITHIN, look).await;
        waited.map_err(|late| late.to_string().into())
    }

    async fn value(&self, expression: &str) -> Result<Value, Failed> {
        let script = json!({"script": format!("return {expression};"), "args": []});
        self.call("execute/sync", script).await
    }

    async fn element(&self, selector: &str) -> Result<String, Failed> {
        let wanted = json!({"using": "css selector", "value": selector});
        let found = self.call("element", wanted).await?;
        let id = found
            .as_object()
            .and_then(|found| found.values().next()?.as_str());
        id.map(str::to_owned)
            .ok_or_else(|| format!("no element {selector}").into())
    }

    async fn call(&self, what: &str, body: Value) -> Result<Value, Failed> {
        call(
            self.addr,
            &format!("/session/{}/{what}", self.session),
            body,
        )
        .await
    }
}

/// How a driver tells that another process has its port.
const ENDED: &str = "chromedriver ended";

/// The driver on a free port, as soon as it serves.
async fn serving(program: &Path) -> Result<(Running, SocketAddr), String> {
    let port = Port::free().map_err(|why| why.to_string())?;
    let addr = port.addr();
    let mut command = Command::new(program);
    command
        .arg(format!("--port={}", port.number()))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let mut driver = Running::start(command).map_err(|why| why.to_string())?;
    let probe = async || match (http::get(addr, "/status", WITHIN).await, driver.ended()) {
        (_, Ok(Some(status))) => Probed::Break(Err(format!("{ENDED} with {status}"))),
        (Ok(_), _) => Probed::Break(Ok(())),
        (Err(why), _) => Probed::Continue(why.to_string()),
    };
    let ready = wait::eventually("chromedriver", WITHIN, probe).await;
    ready.map_err(|late| late.to_string())??;
    Ok((driver, addr))
}

async fn call(addr: SocketAddr, path: &str, body: Value) -> Result<Value, Failed> {
    let answer = http::post(addr, path, body.to_string(), WITHIN).await?;
    if answer.status != 200 {
        return Err(format!("{path}: {} {}", answer.status, answer.body).into());
    }
    let answer: Value = serde_json::from_str(&answer.body)?;
    Ok(answer["value"].clone())
}
