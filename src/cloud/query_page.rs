//! Pure: the query of a list: its filters, and which page is wanted.

use serde_json::{Value, json};

/// How many rows a page has if nothing else is asked for, and at most.
const USUAL_SIZE: u64 = 20;
const LARGEST_SIZE: u64 = 100;
/// The last page that can be asked for.
const LAST_PAGE: u64 = 1_000_000;

/// The query of a list.
#[derive(Clone, Debug)]
pub(super) struct ListQuery {
    pairs: Vec<(String, String)>,
    page: u64,
    size: u64,
}

impl ListQuery {
    /// Reads the pairs of a query.
    ///
    /// # Errors
    /// What is not allowed, with the parameter.
    pub(super) fn of(pairs: Vec<(String, String)>) -> Result<Self, String> {
        let number = |name: &str, usual: u64, most: u64| match pairs.iter().find(|(key, _)| key == name) {
            None => Ok(usual),
            Some((_, text)) => {
                let number = text.parse().ok().filter(|number| (1..=most).contains(number));
                number.ok_or_else(|| format!("{name}: must be a number from 1 to {most}"))
            }
        };
        let page = number("page[number]", 1, LAST_PAGE)?;
        let size = number("page[size]", USUAL_SIZE, LARGEST_SIZE)?;
        Ok(Self { pairs, page, size })
    }

    /// The value of a parameter; none if it is missing or empty.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let found = self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        found.filter(|text| !text.is_empty())
    }

    /// The parts of a parameter that are separated by commas.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        let parts = self.text(name).unwrap_or_default().split(',').map(str::trim);
        parts.filter(|part| !part.is_empty()).collect()
    }

    /// The pairs of `filter[tagged][N][key]` and `filter[tagged][N][value]`; without a value, any is meant.
    pub(super) fn tagged(&self) -> Vec<(&str, Option<&str>)> {
        let keys = self.pairs.iter().filter_map(|(name, key)| {
            let place = name.strip_prefix("filter[tagged][")?.strip_suffix("][key]")?;
            Some((place, key.as_str()))
        });
        keys.map(|(place, key)| (key, self.text(&format!("filter[tagged][{place}][value]")))).collect()
    }

    /// The offset and the limit of the page.
    pub(super) fn range(&self) -> (u64, u64) {
        ((self.page - 1) * self.size, self.size)
    }

    /// What a list says about its pages.
    pub(super) fn meta(&self, total: u64) -> Value {
        let pages = total.div_ceil(self.size).max(1);
        json!({"pagination": {
            "current-page": self.page,
            "page-size": self.size,
            "prev-page": (self.page > 1).then(|| self.page - 1),
            "next-page": (self.page < pages).then(|| self.page + 1),
            "total-pages": pages,
            "total-count": total,
        }})
    }
}

#[cfg(test)]
mod tests {
    use super::ListQuery;
    use serde_json::json;

    fn of(query: &[(&str, &str)]) -> Result<ListQuery, String> {
        ListQuery::of(query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn pages() {
        let first = of(&[]).unwrap();
        assert_eq!(first.range(), (0, 20));
        let meta = |page: u64, next: Option<u64>, prev: Option<u64>, pages: u64, total: u64| {
            json!({"pagination": {"current-page": page, "page-size": 20, "prev-page": prev, "next-page": next,
                "total-pages": pages, "total-count": total}})
        };
        assert_eq!(first.meta(0), meta(1, None, None, 1, 0));
        assert_eq!(first.meta(41), meta(1, Some(2), None, 3, 41));
        let last = of(&[("page[number]", "3")]).unwrap();
        assert_eq!(last.range(), (40, 20));
        assert_eq!(last.meta(41), meta(3, None, Some(2), 3, 41));
        for (name, text) in [("page[number]", "0"), ("page[number]", "x"), ("page[size]", "101"), ("page[size]", "-1")]
        {
            assert!(of(&[(name, text)]).unwrap_err().starts_with(name), "{name} {text}");
        }
    }

    #[test]
    fn filters() {
        let query = of(&[
            ("search[tags]", "a, b,,"),
            ("search[name]", ""),
            ("filter[tagged][0][key]", "env"),
            ("filter[tagged][0][value]", "prod"),
            ("filter[tagged][1][key]", "team"),
            ("TagBindings", "{ k v}"),
        ])
        .unwrap();
        assert_eq!(query.list("search[tags]"), ["a", "b"]);
        assert_eq!((query.text("search[name]"), query.list("other").len()), (None, 0));
        assert_eq!(query.tagged(), [("env", Some("prod")), ("team", None)]);
    }
}
