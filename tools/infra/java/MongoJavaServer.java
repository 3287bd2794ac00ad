import de.bwaldvogel.mongo.MongoServer;
import de.bwaldvogel.mongo.MongoVersion;
import de.bwaldvogel.mongo.backend.h2.H2Backend;
import java.util.List;

/**
 * Starts mongo-java-server on loopback with its data in one file: MongoJavaServer FILE PORT. Presents itself as MongoDB 5.0
 * with wire version 13, because today's drivers refuse its default. Stops when its standard input ends (so it never outlives
 * who started it) or on SIGTERM, and writes its data out on the way.
 */
public final class MongoJavaServer {
  public static void main(String[] arguments) throws Exception {
    H2Backend backend = new H2Backend(arguments[0]);
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
}
