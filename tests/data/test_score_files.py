"""Tables of log-probabilities are read as what they are, and what will not do is one line."""

import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from twotower.data.score_files import read_score_file
from twotower.system.errors import InputError

HEADINGS = "document,token,log_prob\n"


def written(tmp_path, data, name="a.csv"):
    path = tmp_path / name
    if isinstance(data, pa.Table):
        pq.write_table(data, path)
    else:
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return str(path)


def table(documents, tokens, log_probs):
    return pa.table({"document": documents, "token": tokens, "log_prob": log_probs})


def test_documents_and_tokens_are_text_though_they_look_like_numbers(tmp_path):
    documents = read_score_file(written(tmp_path, HEADINGS + "01,1e3,-1\n01,007,-2\n1,1.0,-3\n"))
    assert [(document.name, document.tokens) for document in documents] == [("01", ["1e3", "007"]), ("1", ["1.0"])]


def test_quotes_that_are_tokens_swallow_no_rows(tmp_path):
    text = 'document\ttoken\tlog_prob\n0\t"\t-1\n0\tfoo\t-2\n0\t"\t-3\n'
    (document,) = read_score_file(written(tmp_path, text, "a.tsv"))
    assert document.tokens == ['"', "foo", '"'] and document.log_probs.tolist() == [-1, -2, -3]
    (document,) = read_score_file(written(tmp_path, text[: text.rindex("0")], "b.tsv"))
    assert document.tokens == ['"', "foo"]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("A.TSV", b"document\ttoken\tlogprob\n0\ta\t\n0\t b\t-1\n"),
        ("a.tsv.gz", gzip.compress(b"document\ttoken\tlogprob\n0\ta\tNA\n0\t b\t-1\n", mtime=0)),
        ("a.jsonl.gz", gzip.compress(b'{"document":0,"token":"a"}\n{"document":0,"token":" b","logprob":-1}', mtime=0)),
        ("a.csv", "\ufeffdocument,token,log_prob\n0,a,\n0, b,-1\n".encode()),
    ],
)
def test_suffix_and_content_decide_and_a_token_may_have_no_score(tmp_path, name, data):
    (document,) = read_score_file(written(tmp_path, data, name))
    assert document.text == "a b" and np.isnan(document.log_probs[0]) and document.log_probs[1] == -1


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.csv", HEADINGS + "0,a,-1,\n0,b,-2,\n", "row 0: 4 cells, but 3 headings"),
        ("a.csv", HEADINGS + "0,a\n0,b,-2\n", "row 0: 2 cells, but 3 headings"),
        ("a.csv", "document,token,log_prob,log_prob\n0,a,-1,-9\n", "two columns are called log_prob"),
        ("a.csv", HEADINGS + "0,a,-1\n,b,-2\n", "row 1: document is empty"),
        ("a.csv", HEADINGS + "0,a,-inf\n", "row 0: log_prob is -inf"),
        ("a.csv", HEADINGS + "0,a,0.5\n", "row 0: log_prob is 0.5"),
        ("a.csv", HEADINGS + '0,a,"-1,5"\n', "row 0: log_prob is -1,5"),
        ("a.jsonl", '{"document":null,"token":"a","log_prob":-1}\n', "row 0: document is empty"),
        ("a.jsonl", '{"document":["a"],"token":"a","log_prob":-1}\n', "row 0: document holds list"),
        ("a.jsonl", '{"document":0,"token":"a","token":"b","log_prob":-1}\n', "'token' comes twice"),
        ("a.jsonl", "[1, 2]\n", "a line holds no JSON object"),
        ("a.parquet", table(["a", None], ["x", "y"], [-1.0, -2.0]), "row 1: document is empty"),
        ("a.parquet", table(["a"], [b"x"], [-1.0]), "row 0: token holds bytes, not text"),
        ("a.parquet", table(["a"], [464], [-1.0]), "row 0: token holds int, not text"),
        ("a.parquet", b"PAR1", "cannot be read as a table"),
    ],
)
def test_what_will_not_do_is_one_line(tmp_path, name, data, message):
    with pytest.raises(InputError, match=message) as caught:
        read_score_file(written(tmp_path, data, name))
    assert "\n" not in str(caught.value) and name in str(caught.value)
