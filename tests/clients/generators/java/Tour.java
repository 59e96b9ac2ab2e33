import java.util.Map;
import java.util.UUID;
import windlass.ApiClient;
import windlass.api.JobMainCallsApi;
import windlass.model.CronJobResponse;
import windlass.model.LifecycleJobResponse;

/** Decodes both kinds of jobs with the okhttp-gson client. */
public class Tour {
    public static void main(String[] arguments) throws Exception {
        ApiClient client = new ApiClient();
        client.setBasePath(System.getenv("WINDLASS_URL"));
        client.setApiKeyPrefix("Token");
        client.setApiKey(System.getenv("WINDLASS_TOKEN"));
        Map<String, Class<?>> kinds = Map.of("CRON", CronJobResponse.class, "LIFECYCLE", LifecycleJobResponse.class);
        for (Map.Entry<String, Class<?>> kind : kinds.entrySet()) {
            UUID id = UUID.fromString(System.getenv("WINDLASS_" + kind.getKey() + "_JOB"));
            Object job = new JobMainCallsApi(client).getJob(id).getActualInstance();
            if (job.getClass() != kind.getValue()) {
                throw new AssertionError(kind.getKey() + " is a " + job.getClass());
            }
        }
        System.out.println("okhttp-gson: both kinds of jobs");
    }
}
