//! The scenarios of `compat/scenarios.json` by rskafka. It has no groups, no configs, no choice of acks and no idempotent producer; its headers are a map without nulls.

use std::collections::BTreeMap;
use std::env;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};
use rskafka::client::controller::ControllerClient;
use rskafka::client::error::{Error, ProtocolError};
use rskafka::client::partition::{Compression, OffsetAt, PartitionClient, UnknownTopicHandling};
use rskafka::client::{Client, ClientBuilder};
use rskafka::record::Record;

const COUNT: usize = 100;
const TIMEOUT_MS: i32 = 10_000;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn check(condition: bool, what: String) -> Outcome {
    if condition { Ok(()) } else { Err(what.into()) }
}

struct Scenarios {
    client: Client,
    controller: ControllerClient,
    prefix: String,
    records: Vec<Record>,
    base_ms: i64,
}

fn time(ms: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(ms).expect("a time of this century")
}

fn headers(i: usize) -> BTreeMap<String, Vec<u8>> {
    let pairs: &[(&str, String)] = match i % 4 {
        0 => &[],
        1 => &[("h", format!("v{i}"))],
        2 => &[("dup", "2".into()), ("utf-ß", "値".into())],
        _ => &[("empty", String::new())],
    };
    pairs.iter().map(|(name, value)| (name.to_string(), value.clone().into_bytes())).collect()
}

/// Nulls, empties, multi-byte text and bytes that are no text.
fn record(i: usize, base_ms: i64) -> Record {
    let key = match i {
        _ if i % 5 == 0 => None,
        _ if i % 10 == 1 => Some(vec![]),
        _ => Some(format!("key-{}", i % 10).into_bytes()),
    };
    let value = match i % 7 {
        0 => None,
        1 => Some(vec![]),
        _ => Some([format!("value {i} ß値🜁 ").repeat(i).as_bytes(), &[0, 0xff]].concat()),
    };
    Record {
        key,
        value,
        headers: headers(i),
        timestamp: time(base_ms + i as i64 * 1000),
    }
}

impl Scenarios {
    async fn topic(&self, name: &str, partitions: i32) -> Result<String, Error> {
        let full = format!("{}-{name}", self.prefix);
        self.controller.create_topic(&full, partitions, 1, TIMEOUT_MS).await?;
        Ok(full)
    }

    async fn partition(&self, topic: &str) -> Result<PartitionClient, Error> {
        self.client.partition_client(topic, 0, UnknownTopicHandling::Retry).await
    }

    async fn filled(&self, name: &str, codec: Compression) -> Result<PartitionClient, Box<dyn std::error::Error>> {
        let partition = self.partition(&self.topic(name, 1).await?).await?;
        let offsets = partition.produce(self.records.clone(), codec).await?;
        check(offsets == (0..COUNT as i64).collect::<Vec<_>>(), format!("the offsets told are {offsets:?}"))?;
        Ok(partition)
    }

    /// Reads `count` records from `offset` on; a fetch may bring earlier ones of the same batch.
    async fn read(&self, partition: &PartitionClient, mut offset: i64, count: usize) -> Result<Vec<Record>, Error> {
        let mut all = vec![];
        while all.len() < count {
            let (records, _) = partition.fetch_records(offset, 1..10_000_000, 1000).await?;
            for one in records.into_iter().filter(|one| one.offset >= offset).collect::<Vec<_>>() {
                offset = one.offset + 1;
                all.push(one.record);
            }
        }
        Ok(all)
    }

    fn same(&self, read: &[Record], sent: &[Record]) -> Outcome {
        check(read.len() == sent.len(), format!("{} records, {} expected", read.len(), sent.len()))?;
        match read.iter().zip(sent).position(|(one, other)| one != other) {
            Some(i) => Err(format!("record {i} is {:?}, sent was {:?}", read[i], sent[i]).into()),
            None => Ok(()),
        }
    }

    async fn create(&self) -> Outcome {
        let name = self.topic("create", 3).await?;
        match self.topic("create", 3).await {
            Err(Error::ServerError {
                protocol_error: ProtocolError::TopicAlreadyExists,
                ..
            }) => {}
            other => return Err(format!("second creation: {other:?}").into()),
        }
        let listed = self.client.list_topics().await?.into_iter().find(|topic| topic.name == name);
        check(
            listed.is_some_and(|topic| topic.partitions.len() == 3),
            "not listed with three partitions".into(),
        )
    }

    async fn round_trip(&self, name: &str, codec: Compression) -> Outcome {
        let partition = self.filled(name, codec).await?;
        self.same(&self.read(&partition, 0, COUNT).await?, &self.records)
    }

    async fn large(&self) -> Outcome {
        let partition = self.partition(&self.topic("large", 1).await?).await?;
        let mut state = 1u32;
        let value = (0..900_000).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        let sent = vec![Record {
            key: None,
            value: Some(value.collect()),
            headers: BTreeMap::new(),
            timestamp: time(self.base_ms),
        }];
        partition.produce(sent.clone(), Compression::NoCompression).await?;
        self.same(&self.read(&partition, 0, 1).await?, &sent)
    }

    async fn many(&self) -> Outcome {
        let name = self.topic("many", 4).await?;
        for index in 0..4 {
            let partition = self.client.partition_client(&name, index, UnknownTopicHandling::Retry).await?;
            let sent: Vec<Record> = (0..2500)
                .map(|i| Record {
                    key: None,
                    value: Some(format!("{index} {i} ").repeat(125).into_bytes()),
                    headers: BTreeMap::new(),
                    timestamp: time(self.base_ms),
                })
                .collect();
            for batch in sent.chunks(500) {
                partition.produce(batch.to_vec(), Compression::NoCompression).await?;
            }
            self.same(&self.read(&partition, 0, 2500).await?, &sent)?;
        }
        Ok(())
    }

    async fn from_offset(&self) -> Outcome {
        let partition = self.filled("from-offset", Compression::NoCompression).await?;
        self.same(&self.read(&partition, 40, COUNT - 40).await?, &self.records[40..])
    }

    async fn from_end(&self) -> Outcome {
        let partition = self.filled("from-end", Compression::NoCompression).await?;
        let end = partition.get_offset(OffsetAt::Latest).await?;
        let (before, _) = partition.fetch_records(end, 1..10_000_000, 500).await?;
        check(before.is_empty(), "a record from before".into())?;
        partition.produce(self.records[7..8].to_vec(), Compression::NoCompression).await?;
        self.same(&self.read(&partition, end, 1).await?, &self.records[7..8])
    }

    async fn from_timestamp(&self) -> Outcome {
        let partition = self.filled("from-timestamp", Compression::NoCompression).await?;
        let offset = partition.get_offset(OffsetAt::Timestamp(time(self.base_ms + 49_500))).await?;
        check(offset == 50, format!("offset {offset}"))?;
        self.same(&self.read(&partition, offset, COUNT - 50).await?, &self.records[50..])
    }

    async fn list_offsets(&self) -> Outcome {
        let partition = self.filled("list-offsets", Compression::NoCompression).await?;
        let late = OffsetAt::Timestamp(time(self.base_ms + 10_000_000));
        for (at, expected) in [(OffsetAt::Earliest, 0), (OffsetAt::Latest, COUNT as i64), (late, -1)] {
            let offset = partition.get_offset(at).await?;
            check(offset == expected, format!("{at:?}: offset {offset}, {expected} expected"))?;
        }
        Ok(())
    }

    async fn delete_records(&self) -> Outcome {
        let partition = self.filled("delete-records", Compression::NoCompression).await?;
        partition.delete_records(30, TIMEOUT_MS).await?;
        let earliest = partition.get_offset(OffsetAt::Earliest).await?;
        check(earliest == 30, format!("earliest is {earliest}"))?;
        self.same(&self.read(&partition, earliest, COUNT - 30).await?, &self.records[30..])
    }

    async fn delete_topic(&self) -> Outcome {
        let name = self.topic("delete-topic", 1).await?;
        self.controller.delete_topic(&name, TIMEOUT_MS).await?;
        check(self.client.list_topics().await?.iter().all(|topic| topic.name != name), "still listed".into())
    }

    /// None where the client has no such call.
    async fn run(&self, name: &str) -> Option<Outcome> {
        Some(match name {
            "create" => self.create().await,
            "none" | "acks-all" => self.round_trip(name, Compression::NoCompression).await,
            "gzip" => self.round_trip(name, Compression::Gzip).await,
            "snappy" => self.round_trip(name, Compression::Snappy).await,
            "lz4" => self.round_trip(name, Compression::Lz4).await,
            "zstd" => self.round_trip(name, Compression::Zstd).await,
            "large" => self.large().await,
            "many" => self.many().await,
            "from-offset" => self.from_offset().await,
            "from-end" => self.from_end().await,
            "from-timestamp" => self.from_timestamp().await,
            "list-offsets" => self.list_offsets().await,
            "delete-records" => self.delete_records().await,
            "delete-topic" => self.delete_topic().await,
            _ => return None,
        })
    }
}

const NAMES: [&str; 30] = [
    "create",
    "describe",
    "alter-config",
    "add-partitions",
    "none",
    "gzip",
    "snappy",
    "lz4",
    "zstd",
    "acks-0",
    "acks-1",
    "acks-all",
    "idempotent",
    "large",
    "many",
    "from-offset",
    "from-end",
    "from-timestamp",
    "list-offsets",
    "delete-records",
    "commit-resume",
    "group-join-leave",
    "describe-group",
    "delete-group",
    "delete-topic",
    "txn-commit",
    "txn-abort",
    "txn-fenced",
    "txn-offsets",
    "txn-timeout",
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome {
    let client = ClientBuilder::new(vec![env::var("BOOTSTRAP")?]).build().await?;
    let controller = client.controller_client()?;
    let base_ms = (SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() as i64 - 3600) * 1000;
    let records = (0..COUNT).map(|i| record(i, base_ms)).collect();
    let scenarios = Scenarios {
        client,
        controller,
        prefix: env::var("PREFIX")?,
        records,
        base_ms,
    };
    let chosen: Vec<String> = env::args().skip(1).collect();
    for name in NAMES.into_iter().filter(|name| chosen.is_empty() || chosen.iter().any(|one| one == name)) {
        match tokio::time::timeout(Duration::from_secs(40), scenarios.run(name)).await {
            Ok(Some(Ok(()))) => println!("ok {name}"),
            Ok(Some(Err(error))) => println!("FAIL {name}: {}", error.to_string().replace('\n', " ")),
            Ok(None) => println!("n/a {name}: the client has no such call"),
            Err(_) => println!("FAIL {name}: not done within 40 s"),
        }
    }
    Ok(())
}
