"""All that touches Milvus."""
