//! Reads records together with what belongs to them.

use types::Fault;

use crate::{db::Db, record::Record, value::Value};

/// How often what changes while it is read is read again.
const ATTEMPTS: usize = 8;

impl Db {
    /// Adds to records what belongs to them. `parts` reads that in statements of its own, and answers in the order that it is given.
    ///
    /// A record that changes meanwhile is read again with its parts, so that they are of one moment. Parts that change while
    /// their record stays as it is are not noticed.
    pub async fn whole<R, W, P>(&self, heads: Vec<R>, parts: impl Fn(Vec<R>) -> P) -> Result<Vec<W>, Fault>
    where
        R: Record,
        P: Future<Output = Result<Vec<W>, Fault>>,
    {
        let mut whole: Vec<Option<W>> = heads.iter().map(|_| None).collect();
        let mut unread: Vec<(usize, R)> = heads.into_iter().enumerate().collect();
        for _ in 0..ATTEMPTS {
            if unread.is_empty() {
                return Ok(whole.into_iter().flatten().collect());
            }
            let (places, heads): (Vec<usize>, Vec<R>) = unread.into_iter().unzip();
            let keys: Vec<_> = heads.iter().map(|head| (head.key_values(), head.version())).collect();
            let read = parts(heads).await?;
            let changed = self.changed::<R>(&keys).await?;
            unread = Vec::new();
            for ((place, (key, _)), one) in places.into_iter().zip(keys).zip(read) {
                if !changed.contains(&key) {
                    whole[place] = Some(one);
                } else if let Some(head) = self.find::<R>(key).await? {
                    unread.push((place, head));
                }
            }
        }
        Err(Fault::unavailable("what is read changes too often to be read as of one moment"))
    }

    /// The keys of those records that have another version now.
    async fn changed<R: Record>(&self, read: &[(Vec<Value>, i64)]) -> Result<Vec<Vec<Value>>, Fault> {
        let columns = R::KEY.join(", ");
        let (mut args, mut rows) = (Vec::new(), Vec::new());
        for (key, version) in read {
            let first = args.len() + 1;
            args.extend(key.iter().cloned().chain([Value::Integer(*version)]));
            let row = (first..=args.len()).map(|at| format!("${at}")).collect::<Vec<_>>();
            rows.push(format!("({})", row.join(", ")));
        }
        let same = R::KEY.iter().map(|column| format!("n.{column} = was.{column}")).collect::<Vec<_>>();
        let sql = format!(
            "WITH was ({columns}, version) AS (VALUES {}) SELECT {} FROM was JOIN {} n ON {} \
             WHERE n.version <> was.version",
            rows.join(", "),
            R::KEY.iter().map(|column| format!("was.{column}")).collect::<Vec<_>>().join(", "),
            R::TABLE,
            same.join(" AND "),
        );
        Ok(self.query(sql, args).await?.into_iter().map(|row| row.into_values()).collect())
    }
}
