// The store of an index can be had in this package alone.
package de.bwaldvogel.mongo.backend.h2;

import de.bwaldvogel.mongo.MongoCollection;
import de.bwaldvogel.mongo.MongoDatabase;
import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.AbstractUniqueIndex;
import de.bwaldvogel.mongo.backend.CollectionOptions;
import de.bwaldvogel.mongo.backend.CursorRegistry;
import de.bwaldvogel.mongo.backend.Index;
import de.bwaldvogel.mongo.backend.IndexKey;
import de.bwaldvogel.mongo.backend.KeyValue;
import de.bwaldvogel.mongo.bson.Document;
import java.util.List;
import java.util.Map;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;

/**
 * Starts mongo-java-server on loopback with its data in one file: MongoJavaServer FILE PORT. Presents itself as MongoDB 5.0
 * with wire version 13, because today's drivers refuse its default. Stops when its standard input ends (so it never outlives
 * who started it) or on SIGTERM, and writes its data out on the way.
 *
 * MongoDB answers a filter of an `_id` and more by the index of the `_id`, and so does this server: by itself it would look through the
 * whole collection for each guarded write.
 *
 * MongoDB reads a document whole while another caller changes it, and so does this server: by itself it would write the fields of the
 * document that it keeps one after the other, while that is on its way to a reader.
 */
public final class MongoJavaServer {
  /** Of all databases. A database makes collections before its constructor is done, so it cannot keep the store itself. */
  private static MVStore store;

  public static void main(String[] arguments) throws Exception {
    store = MVStore.open(arguments[0]);
    H2Backend backend = new Backend(store);
    backend.version(new MongoVersion() {
      @Override public List<Integer> getVersionArray() { return List.of(5, 0, 0, 0); }
      @Override public int getWireVersion() { return 13; }
    });
    MongoServer server = new MongoServer(backend);
    server.bind("127.0.0.1", Integer.parseInt(arguments[1]));
    Runtime.getRuntime().addShutdownHook(new Thread(server::shutdownNow));
    System.out.println("listening on port " + server.getLocalAddress().getPort());
    while (System.in.read() >= 0) { }
    System.exit(0);
  }

  private static final class Backend extends H2Backend {
    Backend(MVStore store) { super(store); }

    @Override protected MongoDatabase openOrCreateDatabase(String name) { return new Database(name, getMvStore(), getCursorRegistry()); }
  }

  private static final class Database extends H2Database {
    Database(String name, MVStore store, CursorRegistry cursors) { super(name, store, cursors); }

    /** In the maps in which the store keeps a collection by itself. */
    @Override protected MongoCollection<Object> openOrCreateCollection(String collection, CollectionOptions options) {
      String name = getFullCollectionNamespace(collection);
      return new Collection(this, collection, options, store.openMap(DATABASES_PREFIX + name), store.openMap("meta." + name), cursorRegistry);
    }

    @Override protected Index<Object> openOrCreateUniqueIndex(String collection, String name, List<IndexKey> keys, boolean sparse) {
      H2UniqueIndex index = (H2UniqueIndex) super.openOrCreateUniqueIndex(collection, name, keys, sparse);
      boolean isOfId = keys.size() == 1 && keys.get(0).getKey().equals(IdIndex.ID);
      return isOfId ? new IdIndex(name, keys, sparse, index) : index;
    }
  }

  private static final class Collection extends H2Collection {
    Collection(
        MongoDatabase database, String name, CollectionOptions options, MVMap<Object, Document> documents, MVMap<String, Object> meta, CursorRegistry cursors) {
      super(database, name, options, documents, meta, cursors);
    }

    /** A copy, which an update changes before it puts a new document in the place of the one that is kept. */
    @Override protected Document getDocument(Object position) {
      Document kept = super.getDocument(position);
      return kept == null ? null : kept.clone();
    }
  }

  private static final class IdIndex extends AbstractUniqueIndex<Object> {
    static final String ID = "_id";
    private final H2UniqueIndex index;

    IdIndex(String name, List<IndexKey> keys, boolean sparse, H2UniqueIndex index) {
      super(name, keys, sparse);
      this.index = index;
    }

    /** What is found by the `_id` is held against the rest of the filter by the collection. */
    @Override public boolean canHandle(Document query) {
      Object id = query.get(ID);
      return super.canHandle(query) || id instanceof String || id instanceof Number;
    }

    @Override protected Object removeDocument(KeyValue key) { return index.removeDocument(key); }
    @Override protected boolean putKeyPosition(KeyValue key, Object position) { return index.putKeyPosition(key, position); }
    @Override protected Iterable<Map.Entry<KeyValue, Object>> getIterable() { return index.getIterable(); }
    @Override protected Object getPosition(KeyValue key) { return index.getPosition(key); }
    @Override public long getCount() { return index.getCount(); }
    @Override public boolean isEmpty() { return index.isEmpty(); }
    @Override public long getDataSize() { return index.getDataSize(); }
  }
}
