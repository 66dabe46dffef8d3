BEGIN TRANSACTION;
CREATE TABLE application_versions (
    version_id TEXT NOT NULL PRIMARY KEY,
    version_name TEXT NOT NULL UNIQUE,
    version_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
, "application_name" TEXT DEFAULT NULL);
INSERT INTO "application_versions" VALUES('3dd1bc78-a59d-4cc8-a323-d7201f72671f','workflows-1',1795372329000,1795372329000,'understudy');
CREATE TABLE datasource_outputs (
            workflow_id TEXT NOT NULL,
            step_id INTEGER NOT NULL,
            output TEXT,
            error TEXT,
            serialization TEXT,
            created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
            PRIMARY KEY (workflow_id, step_id)
        );
INSERT INTO "datasource_outputs" VALUES('review:github.test:1000002:2:0ef0c7d552f3fba592507aff492fa9250cf48538',1,'"planned"',NULL,'portable_json',1795372331000);
CREATE TABLE dbos_datasource_migrations (version INTEGER NOT NULL PRIMARY KEY);
INSERT INTO "dbos_datasource_migrations" VALUES(1);
CREATE TABLE dbos_migrations (version INTEGER NOT NULL PRIMARY KEY);
INSERT INTO "dbos_migrations" VALUES(125);
CREATE TABLE notifications (
    message_uuid TEXT NOT NULL DEFAULT (hex(randomblob(16))) PRIMARY KEY,
    destination_uuid TEXT NOT NULL,
    topic TEXT,
    message TEXT NOT NULL,
    created_at_epoch_ms INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000), "serialization" TEXT DEFAULT NULL, "consumed" BOOLEAN NOT NULL DEFAULT FALSE, consumed_by_function_id INTEGER,
    FOREIGN KEY (destination_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE "operation_outputs" (
    workflow_uuid TEXT NOT NULL,
    function_id INTEGER NOT NULL,
    function_name TEXT NOT NULL DEFAULT '',
    output TEXT,
    error TEXT,
    child_workflow_id TEXT,
    started_at_epoch_ms INTEGER,
    completed_at_epoch_ms INTEGER,
    serialization TEXT,
    application_name TEXT DEFAULT NULL,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    PRIMARY KEY (workflow_uuid, function_id)
);
INSERT INTO "operation_outputs" VALUES('review:github.test:1000002:2:0ef0c7d552f3fba592507aff492fa9250cf48538',1,'_plan','"planned"',NULL,NULL,1795372331353,1795372331369,'portable_json','understudy',1795372331000);
INSERT INTO "operation_outputs" VALUES('recorded-learn',1,'_take_snapshot','"ds1:recorded"',NULL,NULL,1795372331351,1795372331593,'portable_json','understudy',1795372331000);
INSERT INTO "operation_outputs" VALUES('recorded-learn',2,'_train','"recorded-run"',NULL,NULL,1795372331902,1795372331918,'portable_json','understudy',1795372331000);
INSERT INTO "operation_outputs" VALUES('recorded-learn',3,'_register','["recorded--v1","promote"]',NULL,NULL,1795372331925,1795372331939,'portable_json','understudy',1795372331000);
INSERT INTO "operation_outputs" VALUES('recorded-learn',4,'_load','null',NULL,NULL,1795372331989,1795372332022,'portable_json','understudy',1795372332000);
INSERT INTO "operation_outputs" VALUES('recorded-learn',5,'_confirm','"promote"',NULL,NULL,1795372332157,1795372332508,'portable_json','understudy',1795372332000);
INSERT INTO "operation_outputs" VALUES('review:github.test:1000002:2:0ef0c7d552f3fba592507aff492fa9250cf48538',2,'draft','"drafted"',NULL,NULL,1795372331597,1795372332637,'portable_json','understudy',1795372332000);
INSERT INTO "operation_outputs" VALUES('recorded-harvest',1,'harvest_pull_request','{"merged":1,"examples":1,"rejections":0,"to_answer":0,"to_tell":1}',NULL,NULL,1795372331357,1795372333139,'portable_json','understudy',1795372333000);
CREATE TABLE queues (
    queue_id TEXT PRIMARY KEY DEFAULT (hex(randomblob(16))),
    name TEXT NOT NULL UNIQUE,
    concurrency INTEGER,
    worker_concurrency INTEGER,
    rate_limit_max INTEGER,
    rate_limit_period_sec REAL,
    priority_enabled BOOLEAN NOT NULL DEFAULT FALSE,
    partition_queue BOOLEAN NOT NULL DEFAULT FALSE,
    polling_interval_sec REAL NOT NULL DEFAULT 1.0,
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    updated_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
, "application_name" TEXT DEFAULT NULL, "partition_concurrency" INTEGER DEFAULT NULL, "partition_worker_concurrency" INTEGER DEFAULT NULL, "partition_rate_limit_max" INTEGER DEFAULT NULL, "partition_rate_limit_period_sec" REAL DEFAULT NULL);
INSERT INTO "queues" VALUES('A4EC69550EEC430D9EF6DD4247EB625F','intake',NULL,4,NULL,NULL,1,0,0.05,1795372329000,1795372329821,'understudy',NULL,NULL,NULL,NULL);
INSERT INTO "queues" VALUES('A766DE4B0E0619500F11E549EA2559B4','github',NULL,NULL,NULL,NULL,1,1,0.05,1795372329000,1795372329828,'understudy',1,NULL,NULL,NULL);
INSERT INTO "queues" VALUES('AF155E146B5936CF9A5808F0ABDF6DD7','gpu',1,NULL,NULL,NULL,1,0,0.05,1795372329000,1795372329830,'understudy',NULL,NULL,NULL,NULL);
CREATE TABLE streams (
    workflow_uuid TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    "offset" INTEGER NOT NULL, function_id INTEGER NOT NULL DEFAULT 0, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, key, "offset"),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE us_adapter_pointer (
	installation_id INTEGER NOT NULL, 
	adapter_name VARCHAR, 
	previous VARCHAR, 
	moved_at DATETIME NOT NULL, 
	PRIMARY KEY (installation_id)
);
CREATE TABLE us_adapter_version (
	name VARCHAR NOT NULL, 
	installation_id INTEGER NOT NULL, 
	snapshot_id VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	path TEXT NOT NULL, 
	manifest JSON NOT NULL, 
	decision JSON, 
	created_at DATETIME NOT NULL, stale_at DATETIME, 
	PRIMARY KEY (name)
);
INSERT INTO "us_adapter_version" VALUES('recorded--v1',47110001,'ds1:recorded','candidate','@DATA@/adapters/recorded--v1','{}',NULL,'2026-11-22 18:32:09.866510',NULL);
CREATE TABLE us_approval (
	id INTEGER NOT NULL, 
	example_hash VARCHAR NOT NULL, 
	installation_id INTEGER NOT NULL, 
	repository VARCHAR NOT NULL, 
	pull_request INTEGER NOT NULL, 
	decision VARCHAR NOT NULL, 
	actor VARCHAR NOT NULL, 
	actor_role VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	content_hash VARCHAR NOT NULL, 
	idempotency_key VARCHAR NOT NULL, 
	created_at DATETIME NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (idempotency_key)
);
CREATE TABLE us_audit (
	id INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	actor VARCHAR NOT NULL, 
	action VARCHAR NOT NULL, 
	subject VARCHAR NOT NULL, 
	detail JSON NOT NULL, 
	idempotency_key VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (idempotency_key)
);
CREATE TABLE us_delivery (
	guid VARCHAR NOT NULL, 
	event VARCHAR NOT NULL, 
	action VARCHAR, 
	installation_id INTEGER, 
	body BLOB NOT NULL, 
	headers JSON NOT NULL, 
	received_at DATETIME NOT NULL, 
	handled_at DATETIME, 
	outcome VARCHAR, 
	PRIMARY KEY (guid)
);
INSERT INTO "us_delivery" VALUES('github.test:recorded','pull_request','opened',47110001,X'7B22616374696F6E223A20226F70656E6564222C2022696E7374616C6C6174696F6E223A207B226964223A2034373131303030317D2C20227265706F7369746F7279223A207B226964223A20313030303030322C202266756C6C5F6E616D65223A202261636D652F73746F7265222C20226F776E6572223A207B226964223A20332C20226C6F67696E223A202261636D65222C202274797065223A202255736572227D7D2C202273656E646572223A207B226964223A20312C20226C6F67696E223A2022616E6E222C202274797065223A202255736572227D2C202270756C6C5F72657175657374223A207B226E756D626572223A20332C202268656164223A207B22736861223A202239346338376637666662386238326137653132663132636530626366626361626138303664636433227D2C20226472616674223A2066616C73652C20226D6572676564223A2066616C73657D7D','{}','2026-11-22 18:32:09.866822',NULL,NULL);
CREATE TABLE us_dismissal (
	installation_id INTEGER NOT NULL, 
	repository VARCHAR NOT NULL, 
	pull_request INTEGER NOT NULL, 
	fingerprint VARCHAR NOT NULL, 
	words VARCHAR, 
	reason TEXT NOT NULL, 
	actor VARCHAR NOT NULL, 
	actor_role VARCHAR NOT NULL, 
	comment_id INTEGER NOT NULL, 
	dismissed_at DATETIME NOT NULL, 
	PRIMARY KEY (installation_id, repository, pull_request, fingerprint)
);
CREATE TABLE us_erasure (
	id VARCHAR NOT NULL, 
	installation_id INTEGER NOT NULL, 
	kind VARCHAR NOT NULL, 
	subject TEXT NOT NULL, 
	subject_key VARCHAR NOT NULL, 
	reason VARCHAR NOT NULL, 
	requested_at DATETIME NOT NULL, 
	finished_at DATETIME, 
	lifted_at DATETIME, 
	report JSON NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE "us_example" (
	hash VARCHAR NOT NULL, 
	installation_id INTEGER NOT NULL, 
	repository VARCHAR NOT NULL, 
	pull_request INTEGER, 
	kind VARCHAR NOT NULL, 
	comment_id INTEGER, 
	evidence VARCHAR, 
	weight FLOAT NOT NULL, 
	payload JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	source VARCHAR NOT NULL, 
	signals JSON DEFAULT '{}' NOT NULL, 
	PRIMARY KEY (hash, installation_id)
);
INSERT INTO "us_example" VALUES('ex1:2d5d1b64284f7842aeb41faaccd4a7949c24cb83',47110001,'acme/store',1,'review_comment',1000014,'line',0.9,'{"kind": "review_comment", "host": "github.test", "repository_id": 1000002, "repository": "acme/store", "pull_request": 1, "pull_request_created_at": "2026-01-05T09:00:00Z", "commit_sha": "352d1035e50c129543da07b57a8c6c1438c7f6c6", "path": "service.py", "hunk": {"header": "@@ -5,8 +5,9 @@ def load(path):", "lines": [{"kind": "context", "old": 5, "new": 5, "text": "    return json.loads(open(path).read())"}, {"kind": "context", "old": 6, "new": 6, "text": ""}, {"kind": "context", "old": 7, "new": 7, "text": ""}, {"kind": "context", "old": 8, "new": 8, "text": "def price(order):"}, {"kind": "context", "old": 9, "new": 9, "text": "    total = 0"}, {"kind": "added", "old": null, "new": 10, "text": "    print(order)"}, {"kind": "context", "old": 10, "new": 11, "text": "    for item in order:"}, {"kind": "context", "old": 11, "new": 12, "text": "        total = total + item.amount"}, {"kind": "context", "old": 12, "new": 13, "text": "    return total"}]}, "commented_lines": [10], "comment_id": 1000014, "reviewer": "mara", "line": 10, "start_line": null, "side": "RIGHT", "body": "Use the logger here, as everywhere.", "evidence": "line", "fix": {"commit": "97e03e2dbc8c15de1e63788c6fe22c4ddc1b1fe4", "hunks": ["@@ -7,7 +7,7 @@ def load(path):\n \n def price(order):\n     total = 0\n-    print(order)\n+    log(order)\n     for item in order:\n         total = total + item.amount\n     return total\n"]}}','2026-11-22 18:32:12.991364','harvest','{"resolved": false, "resolved_by": null, "outdated": true, "reactions": {}, "replies": {"count": 0, "author_done": 0, "author_pushback": 0}, "reviewer_association": "MEMBER"}');
CREATE TABLE us_executor (
	id VARCHAR NOT NULL, 
	host VARCHAR NOT NULL, 
	pid INTEGER NOT NULL, 
	started_at DATETIME NOT NULL, 
	heartbeat_at DATETIME NOT NULL, 
	ended_at DATETIME, 
	PRIMARY KEY (id)
);
CREATE TABLE us_feedback (
	review_id VARCHAR NOT NULL, 
	fingerprint VARCHAR NOT NULL, 
	installation_id INTEGER NOT NULL, 
	repository VARCHAR NOT NULL, 
	pull_request INTEGER NOT NULL, 
	held_back BOOLEAN NOT NULL, 
	verdict VARCHAR NOT NULL, 
	signs JSON NOT NULL, 
	head_sha VARCHAR NOT NULL, 
	line_text TEXT NOT NULL, 
	pull_request_created_at DATETIME NOT NULL, 
	consent VARCHAR NOT NULL, 
	read_at DATETIME NOT NULL, 
	settled_at DATETIME, 
	PRIMARY KEY (review_id, fingerprint)
);
CREATE TABLE us_finding (
	review_id VARCHAR NOT NULL, 
	fingerprint VARCHAR NOT NULL, 
	path TEXT NOT NULL, 
	line INTEGER NOT NULL, 
	body TEXT NOT NULL, 
	severity VARCHAR NOT NULL, 
	posted BOOLEAN NOT NULL, 
	comment_id INTEGER, 
	payload JSON NOT NULL, 
	PRIMARY KEY (review_id, fingerprint), 
	FOREIGN KEY(review_id) REFERENCES us_review (id)
);
INSERT INTO "us_finding" VALUES('github.test:1000002:2:0ef0c7d552f3fba592507aff492fa9250cf48538','fp1:2e44070065c7875b7be32d4f','service.py',10,'Log print(order) instead.','minor',0,NULL,'{"repository": "acme/store", "pull_request": 2, "path": "service.py", "line": 10, "start_line": null, "body": "Log print(order) instead.", "severity": "minor", "fingerprint": "fp1:2e44070065c7875b7be32d4f", "locator_score": 0.9, "acceptance_score": 0.9, "adapter": "recorded--v1", "words": "fw1:7ef71c3c05b1c0c580095965", "replacement": null}');
CREATE TABLE us_harvested (
	installation_id INTEGER NOT NULL, 
	repository_id INTEGER NOT NULL, 
	pull_request INTEGER NOT NULL, 
	repository VARCHAR NOT NULL, 
	head_sha VARCHAR NOT NULL, 
	author VARCHAR NOT NULL, 
	harvested_at DATETIME NOT NULL, merge_commit_sha VARCHAR, 
	PRIMARY KEY (installation_id, repository_id, pull_request)
);
INSERT INTO "us_harvested" VALUES(47110001,1000002,1,'acme/store','97e03e2dbc8c15de1e63788c6fe22c4ddc1b1fe4','au1:3b5ffb458aa5349b6e9a82937479297741ceacda','2026-11-22 18:32:12.983216','bf96412fd520be60d0f53f408f5a9c8c0dbcd108');
CREATE TABLE us_installation (
	id INTEGER NOT NULL, 
	host VARCHAR NOT NULL, 
	account VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	permissions JSON NOT NULL, 
	updated_at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "us_installation" VALUES(47110001,'github.test','acme','active','{}','2026-11-22 18:32:09.866119');
CREATE TABLE us_pause (
	installation_id INTEGER NOT NULL, 
	repository VARCHAR NOT NULL, 
	pull_request INTEGER NOT NULL, 
	actor VARCHAR NOT NULL, 
	actor_role VARCHAR NOT NULL, 
	paused_at DATETIME NOT NULL, 
	PRIMARY KEY (installation_id, repository, pull_request)
);
CREATE TABLE us_progress (
	workflow_id VARCHAR NOT NULL, 
	figures JSON NOT NULL, 
	at DATETIME NOT NULL, 
	PRIMARY KEY (workflow_id)
);
INSERT INTO "us_progress" VALUES('recorded-learn','{"stage": "confirming"}','2026-11-22 18:32:12.025098');
INSERT INTO "us_progress" VALUES('recorded-harvest','{"stage": "summary"}','2026-11-22 18:32:13.141335');
INSERT INTO "us_progress" VALUES('review:github.test:1000002:2:0ef0c7d552f3fba592507aff492fa9250cf48538','{"stage": "post"}','2026-11-22 18:32:12.651778');
CREATE TABLE us_reference (
	installation_id INTEGER NOT NULL, 
	repository_id INTEGER NOT NULL, 
	repository VARCHAR NOT NULL, 
	content VARCHAR NOT NULL, 
	position INTEGER NOT NULL, 
	payload JSON NOT NULL, 
	PRIMARY KEY (installation_id, repository_id, content, position)
);
CREATE TABLE us_reference_file (
	installation_id INTEGER NOT NULL, 
	repository_id INTEGER NOT NULL, 
	repository VARCHAR NOT NULL, 
	path TEXT NOT NULL, 
	content VARCHAR NOT NULL, 
	PRIMARY KEY (installation_id, repository_id, path)
);
CREATE TABLE us_rejection (
	id VARCHAR NOT NULL, 
	installation_id INTEGER NOT NULL, 
	repository VARCHAR NOT NULL, 
	pull_request INTEGER NOT NULL, 
	reason VARCHAR NOT NULL, 
	payload JSON NOT NULL, 
	created_at DATETIME NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE us_repository (
	installation_id INTEGER NOT NULL, 
	repository_id INTEGER NOT NULL, 
	full_name VARCHAR NOT NULL, 
	watched_since DATETIME NOT NULL, 
	swept_at DATETIME, 
	etag VARCHAR, 
	backfill VARCHAR, 
	total INTEGER NOT NULL, 
	listed INTEGER NOT NULL, 
	done_before INTEGER NOT NULL, 
	backfill_began_at DATETIME, 
	backfill_listed_at DATETIME, seen_head VARCHAR, history_head VARCHAR, indexed_head VARCHAR, 
	PRIMARY KEY (installation_id, repository_id)
);
CREATE TABLE us_review (
	id VARCHAR NOT NULL, 
	installation_id INTEGER NOT NULL, 
	repository VARCHAR NOT NULL, 
	pull_request INTEGER NOT NULL, 
	head_sha VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	github_review_id INTEGER, 
	coverage JSON NOT NULL, 
	adapter VARCHAR, 
	created_at DATETIME NOT NULL, 
	finished_at DATETIME, "full" BOOLEAN DEFAULT 0 NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "us_review" VALUES('github.test:1000002:2:0ef0c7d552f3fba592507aff492fa9250cf48538',47110001,'acme/store',2,'0ef0c7d552f3fba592507aff492fa9250cf48538','drafted',NULL,'{"files": [{"path": "n.txt", "outcome": "reviewed", "reason": null, "lines_read": 1, "patch_hash": "a212e4659e7f0aee015cd379", "carried": false}, {"path": "service.py", "outcome": "reviewed", "reason": null, "lines_read": 1, "patch_hash": "95abbeb7669ad0d6e15855b8", "carried": false}], "hunks_read": 2, "lines_read": 2, "candidates": 1, "silenced": 0, "capped": 0, "unanswered": 0, "repeated": 0, "dismissed": 0, "minor": 0, "unasked": 0, "over_budget": 0, "unseen": 0, "disagreed": 0, "unapplied": 0, "unextended": 0, "list_cut": false, "made_by": "reader:f0ca3945306e690963368e67b29986ce69b1c437", "followed": {"addressed": [], "standing": []}}','recorded--v1','2026-11-22 18:32:11.354938',NULL,0);
CREATE TABLE us_review_ask (
	review_id VARCHAR NOT NULL, 
	installation_id INTEGER NOT NULL, 
	received_at DATETIME NOT NULL, 
	PRIMARY KEY (review_id)
);
CREATE TABLE us_schema_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT us_schema_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "us_schema_version" VALUES('0009');
CREATE TABLE us_snapshot (
	id VARCHAR NOT NULL, 
	installation_id INTEGER NOT NULL, 
	path TEXT NOT NULL, 
	created_at DATETIME NOT NULL, 
	manifest JSON NOT NULL, erased_at DATETIME, 
	PRIMARY KEY (id)
);
CREATE TABLE us_training_run (
	id VARCHAR NOT NULL, 
	installation_id INTEGER NOT NULL, 
	snapshot_id VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	path TEXT NOT NULL, 
	started_at DATETIME NOT NULL, 
	ended_at DATETIME, 
	detail JSON NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE us_vector (
	installation_id INTEGER NOT NULL, 
	model VARCHAR NOT NULL, 
	text_hash VARCHAR NOT NULL, 
	vector BLOB NOT NULL, 
	PRIMARY KEY (installation_id, model, text_hash)
);
CREATE TABLE workflow_events (
    workflow_uuid TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, key),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE workflow_events_history (
    workflow_uuid TEXT NOT NULL,
    function_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, function_id, key),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid)
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE workflow_input (
    workflow_uuid TEXT NOT NULL PRIMARY KEY,
    inputs TEXT,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
);
INSERT INTO "workflow_input" VALUES('recorded-harvest','{"namedArgs":{},"positionalArgs":[47110001,"acme/store",1]}',1795372329000);
INSERT INTO "workflow_input" VALUES('review:github.test:1000002:2:0ef0c7d552f3fba592507aff492fa9250cf48538','{"namedArgs":{},"positionalArgs":[47110001,"acme/store","github.test:1000002:2:0ef0c7d552f3fba592507aff492fa9250cf48538"]}',1795372329000);
INSERT INTO "workflow_input" VALUES('recorded-learn','{"namedArgs":{},"positionalArgs":[47110001,"operator"]}',1795372329000);
INSERT INTO "workflow_input" VALUES('recorded-queued','{"namedArgs":{},"positionalArgs":[47110001,"acme/store",3]}',1795372329000);
INSERT INTO "workflow_input" VALUES('delivery:github.test:recorded','{"namedArgs":{},"positionalArgs":["github.test:recorded"]}',1795372329000);
CREATE TABLE workflow_output (
    workflow_uuid TEXT NOT NULL PRIMARY KEY,
    output TEXT,
    error TEXT,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
);
CREATE TABLE workflow_schedules (
    schedule_id TEXT PRIMARY KEY,
    schedule_name TEXT NOT NULL UNIQUE,
    workflow_name TEXT NOT NULL,
    workflow_class_name TEXT,
    schedule TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'ACTIVE',
    context TEXT NOT NULL
, "last_fired_at" TEXT DEFAULT NULL, "automatic_backfill" BOOLEAN NOT NULL DEFAULT FALSE, "cron_timezone" TEXT DEFAULT NULL, "queue_name" TEXT DEFAULT NULL, "application_name" TEXT DEFAULT NULL);
CREATE TABLE workflow_status (
    workflow_uuid TEXT PRIMARY KEY,
    status TEXT,
    name TEXT,
    authenticated_user TEXT,
    assumed_role TEXT,
    authenticated_roles TEXT,
    request TEXT,
    output TEXT,
    error TEXT,
    executor_id TEXT,
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    updated_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    application_version TEXT,
    application_id TEXT,
    class_name TEXT DEFAULT NULL,
    config_name TEXT DEFAULT NULL,
    recovery_attempts INTEGER DEFAULT 0,
    queue_name TEXT,
    workflow_timeout_ms INTEGER,
    workflow_deadline_epoch_ms INTEGER,
    inputs TEXT,
    started_at_epoch_ms INTEGER,
    deduplication_id TEXT,
    priority INTEGER NOT NULL DEFAULT 0
, queue_partition_key TEXT, forked_from TEXT, "owner_xid" TEXT DEFAULT NULL, "parent_workflow_id" TEXT DEFAULT NULL, "serialization" TEXT DEFAULT NULL, "delay_until_epoch_ms" BIGINT DEFAULT NULL, "was_forked_from" BOOLEAN NOT NULL DEFAULT FALSE, "rate_limited" BOOLEAN NOT NULL DEFAULT FALSE, "completed_at" BIGINT, "attributes" TEXT, "schedule_name" TEXT, "debounce_deadline_epoch_ms" BIGINT DEFAULT NULL, "is_debounced" BOOLEAN NOT NULL DEFAULT FALSE, "application_name" TEXT DEFAULT NULL, "creator_xid" TEXT DEFAULT NULL);
INSERT INTO "workflow_status" VALUES('recorded-harvest','PENDING','harvest',NULL,NULL,NULL,NULL,NULL,NULL,'embedded',1795372329000,1795372331000,'workflows-1',NULL,NULL,NULL,1,'github',NULL,NULL,NULL,1795372331000,NULL,0,'1',NULL,'16042b02-a551-4006-9aeb-2e567b4e02fd',NULL,'portable_json',NULL,0,0,NULL,'null',NULL,NULL,0,'understudy','c6cf694a-c2c8-430c-bcb3-9e24b057a733');
INSERT INTO "workflow_status" VALUES('review:github.test:1000002:2:0ef0c7d552f3fba592507aff492fa9250cf48538','PENDING','review',NULL,NULL,NULL,NULL,NULL,NULL,'embedded',1795372329000,1795372331000,'workflows-1',NULL,NULL,NULL,1,'github',NULL,NULL,NULL,1795372331000,NULL,0,'2',NULL,'16042b02-a551-4006-9aeb-2e567b4e02fd',NULL,'portable_json',NULL,0,0,NULL,'null',NULL,NULL,0,'understudy','8c31c048-077a-4d59-a5a6-c2c59ef720a3');
INSERT INTO "workflow_status" VALUES('recorded-learn','PENDING','learn',NULL,NULL,NULL,NULL,NULL,NULL,'embedded',1795372329000,1795372331000,'workflows-1',NULL,NULL,NULL,1,'gpu',NULL,NULL,NULL,1795372331000,NULL,0,NULL,NULL,'d81b37a0-5212-47d8-bf4c-17652d24aa3b',NULL,'portable_json',NULL,0,0,NULL,'null',NULL,NULL,0,'understudy','b15ce217-22e6-4f69-8fab-3150e36e4ca7');
INSERT INTO "workflow_status" VALUES('recorded-queued','ENQUEUED','harvest',NULL,NULL,NULL,NULL,NULL,NULL,NULL,1795372329000,1795372329000,'workflows-1',NULL,NULL,NULL,0,'github',NULL,NULL,NULL,NULL,NULL,0,'1',NULL,NULL,NULL,'portable_json',NULL,0,0,NULL,'null',NULL,NULL,0,'understudy','64142625-72cc-42b5-acaf-2e64790b2102');
INSERT INTO "workflow_status" VALUES('delivery:github.test:recorded','PENDING','delivery',NULL,NULL,NULL,NULL,NULL,NULL,'embedded',1795372329000,1795372331000,'workflows-1',NULL,NULL,NULL,1,'intake',NULL,NULL,NULL,1795372331000,NULL,0,NULL,NULL,'3dbc8d33-527c-4e28-ad39-ea580ccb5517',NULL,'portable_json',NULL,0,0,NULL,'null',NULL,NULL,0,'understudy','0f384c2c-28b7-4e4c-bd5f-52ba6634a351');
CREATE INDEX ix_us_delivery_event ON us_delivery (event);
CREATE INDEX ix_us_delivery_installation_id ON us_delivery (installation_id);
CREATE INDEX ix_us_delivery_outcome ON us_delivery (outcome);
CREATE INDEX ix_us_delivery_received_at ON us_delivery (received_at);
CREATE INDEX ix_us_rejection_pull ON us_rejection (installation_id, repository, pull_request);
CREATE INDEX ix_us_approval_example ON us_approval (installation_id, example_hash, id);
CREATE INDEX ix_us_audit_at ON us_audit (at);
CREATE INDEX ix_us_snapshot_installation_id ON us_snapshot (installation_id);
CREATE INDEX ix_us_training_run_installation_id ON us_training_run (installation_id);
CREATE INDEX ix_us_adapter_version_installation_id ON us_adapter_version (installation_id);
CREATE INDEX ix_us_review_pull ON us_review (installation_id, repository, pull_request);
CREATE INDEX ix_us_example_pull ON us_example (installation_id, repository, pull_request);
CREATE INDEX ix_us_erasure_installation_id ON us_erasure (installation_id);
CREATE INDEX ix_us_approval_pull ON us_approval (installation_id, repository, pull_request, id);
CREATE INDEX ix_us_audit_subject ON us_audit (subject, id);
CREATE INDEX ix_us_feedback_pull ON us_feedback (installation_id, repository, pull_request);
CREATE INDEX ix_us_review_ask_installation_id ON us_review_ask (installation_id);
CREATE INDEX workflow_status_created_at_index ON workflow_status (created_at);
CREATE INDEX idx_workflow_topic ON notifications (destination_uuid, topic);
CREATE INDEX "idx_workflow_status_delayed" ON "workflow_status" ("delay_until_epoch_ms") WHERE status = 'DELAYED';
CREATE INDEX "idx_workflow_status_forked_from" ON "workflow_status" ("forked_from") WHERE "forked_from" IS NOT NULL;
CREATE INDEX "idx_workflow_status_parent_workflow_id" ON "workflow_status" ("parent_workflow_id") WHERE "parent_workflow_id" IS NOT NULL;
CREATE UNIQUE INDEX "uq_workflow_status_dedup_id" ON "workflow_status" ("queue_name", "deduplication_id") WHERE "deduplication_id" IS NOT NULL;
CREATE INDEX "idx_workflow_status_pending" ON "workflow_status" ("created_at") WHERE "status" = 'PENDING';
CREATE INDEX "idx_workflow_status_failed" ON "workflow_status" ("status", "created_at") WHERE "status" IN ('ERROR', 'CANCELLED', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED');
CREATE INDEX "idx_workflow_status_rate_limited" ON "workflow_status" ("queue_name", "started_at_epoch_ms") WHERE "rate_limited" = TRUE;
CREATE INDEX "idx_workflow_status_completed_at" ON "workflow_status" ("completed_at") WHERE "completed_at" IS NOT NULL;
CREATE INDEX "idx_workflow_status_started_at" ON "workflow_status" ("started_at_epoch_ms") WHERE "started_at_epoch_ms" IS NOT NULL;
CREATE INDEX "idx_workflow_status_schedule_name" ON "workflow_status" ("schedule_name") WHERE "schedule_name" IS NOT NULL;
CREATE UNIQUE INDEX "uq_application_versions_owner_version"
    ON application_versions ("application_name", "version_name")
    WHERE "application_name" IS NOT NULL;
CREATE UNIQUE INDEX "uq_application_versions_unclaimed_version"
    ON application_versions ("version_name")
    WHERE "application_name" IS NULL;
CREATE INDEX idx_workflow_input_retention
    ON workflow_input (retention_timestamp);
CREATE INDEX idx_workflow_output_retention
    ON workflow_output (retention_timestamp);
CREATE INDEX idx_operation_outputs_retention
    ON operation_outputs (retention_timestamp);
CREATE INDEX "idx_workflow_status_in_flight_v2" ON "workflow_status" ("queue_name", "status", "priority", "created_at", "application_name") WHERE "status" IN ('ENQUEUED', 'PENDING');
CREATE INDEX "idx_workflow_status_partition_dequeue_v3" ON "workflow_status" ("queue_name", "status", "queue_partition_key", "priority", "created_at", "workflow_uuid", "application_name") WHERE "status" IN ('ENQUEUED', 'PENDING') AND "queue_partition_key" IS NOT NULL;
CREATE INDEX "idx_operation_outputs_completed_at_function_name_v2" ON "operation_outputs" ("completed_at_epoch_ms", "function_name", "application_name");
CREATE INDEX "idx_workflow_status_deadline" ON "workflow_status" ("workflow_deadline_epoch_ms") WHERE "status" IN ('ENQUEUED', 'PENDING', 'DELAYED') AND "workflow_deadline_epoch_ms" IS NOT NULL;
CREATE INDEX "idx_application_versions_timestamp" ON "application_versions" ("version_timestamp" DESC);
CREATE INDEX "idx_application_versions_owner_timestamp" ON "application_versions" ("application_name", "version_timestamp" DESC);
COMMIT;
