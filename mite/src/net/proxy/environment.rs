//! The environment variables that name proxies.

/// The variables of this process, or those of a test.
pub(super) struct Environment<'a>(Box<Read<'a>>);

/// Gives the value of a variable.
type Read<'a> = dyn Fn(&str) -> Option<String> + 'a;

impl<'a> Environment<'a> {
    pub(super) fn of_process() -> Self {
        Self(Box::new(|name| std::env::var(name).ok()))
    }

    #[cfg(test)]
    pub(super) fn new(read: &'a Read<'a>) -> Self {
        Self(Box::new(read))
    }

    /// The name of the variable that has the proxy for such URLs, and its value.
    pub(super) fn proxy(&self, https: bool) -> Option<(&'static str, String)> {
        let own = if https {
            ["https_proxy", "HTTPS_PROXY"]
        } else {
            ["http_proxy", "HTTP_PROXY"]
        };
        self.first(own)
            .or_else(|| self.first(["all_proxy", "ALL_PROXY"]))
    }

    pub(super) fn no_proxy(&self) -> String {
        let found = self.first(["no_proxy", "NO_PROXY"]);
        found.map_or_else(String::new, |(_, hosts)| hosts)
    }

    /// The first that is set to something.
    fn first(&self, names: [&'static str; 2]) -> Option<(&'static str, String)> {
        names.into_iter().find_map(|name| {
            // In a CGI program it is the header `Proxy` of whoever sent the request.
            if name == "HTTP_PROXY" && (self.0)("REQUEST_METHOD").is_some() {
                return None;
            }
            let value = (self.0)(name).filter(|value| !value.trim().is_empty())?;
            Some((name, value))
        })
    }
}
